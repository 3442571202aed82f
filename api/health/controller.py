"""`/healthz` and `/readyz`, at the root and below `/api/v1`.

`/healthz` answers as soon as the process runs. `/readyz` asks the stores (`service`) and answers 503 if a needed one is
down. Neither needs a token. A stranger is told only whether the API is ready. Engines are named to an engineer, and to a
caller at the API's own port, as `/metrics` is: programs of this machine and of the cluster's network.
"""

import contextlib

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from api.guards import PUBLIC, read_token
from api.health.schemas import Alive, Readiness
from api.health.service import HealthService
from api.requests import ApiRequest
from marquee.domain.client_address import CLIENT_ADDRESS_HEADER
from marquee.domain.roles import may
from marquee.errors import NotAuthenticated
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
    async def readyz(self, request: ApiRequest, health: NamedDependency[HealthService]) -> Response[Readiness]:
        """The engines behind the API answer; 503 where one does not. An engineer is told which one, by `stores`."""
        readiness = await health.readiness()
        if not _may_see_engines(request):
            readiness = Readiness(ready=readiness.ready, stores={})
        if readiness.ready:
            return Response(readiness)
        return Response(readiness, status_code=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _may_see_engines(request: ApiRequest) -> bool:
    # The gateway writes an address into this header of every request, whatever the client sent in it.
    if not request.headers.get(CLIENT_ADDRESS_HEADER):
        return True
    with contextlib.suppress(NotAuthenticated):
        return may(read_token(request).role, "see_engines")
    return False
