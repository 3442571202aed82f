"""`/healthz` and `/readyz`, at the root and below `/api/v1`.

`/healthz` answers as soon as the process runs. `/readyz` asks the stores (`service`) and answers 503 if a needed one is
down. Neither needs a token.
"""

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from api.guards import PUBLIC
from api.health.schemas import Alive, Readiness
from api.health.service import HealthService
from marquee.http_problems import RETRY_AFTER_SECONDS


class HealthController(Controller):
    """Both endpoints, without a token."""

    path = "/"
    tags = ("Health",)
    opt = PUBLIC

    @get("/healthz")
    async def healthz(self) -> Alive:
        """The process is alive."""
        return Alive()

    @get(
        "/readyz",
        responses={503: ResponseSpec(Readiness, description="Not ready", generate_examples=False)},
    )
    async def readyz(self, health: NamedDependency[HealthService]) -> Response[Readiness]:
        """The engines behind the API answer; 503 and their names where one does not."""
        readiness = await health.readiness()
        if readiness.ready:
            return Response(readiness)
        return Response(readiness, status_code=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
