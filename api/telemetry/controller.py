"""`/telemetry/{token}`: what a player tells of its session, without a login."""

from dataclasses import dataclass

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, Reference, RequestBody, Schema

from api.guards import PUBLIC
from api.problems import documented
from api.requests import ApiRequest
from api.telemetry.bodies import read_report
from api.telemetry.service import TelemetryService
from api.wire import TelemetryTokenPath
from marquee.errors import MarqueeError


@dataclass
class TelemetryOperation(Operation):
    """The handler reads its body itself, so OpenAPI is told here what it may be."""

    def __post_init__(self) -> None:
        report = Schema(type=OpenAPIType.STRING, description="CMCD version 2 event reports (CTA-5004-B), one a line.")
        batch = Reference(ref="#/components/schemas/TelemetryBatch")
        self.request_body = RequestBody(
            required=True,
            content={
                "application/json": OpenAPIMediaType(schema=batch),
                "application/cmcd": OpenAPIMediaType(schema=report),
            },
        )


class TelemetryController(Controller):
    """Telemetry of playing."""

    path = "/telemetry"
    tags = ("Playing",)
    opt = PUBLIC

    @post("/{token:str}", status_code=204, operation_class=TelemetryOperation, responses=documented(403, 404, 413, 415))
    async def tell(
        self, token: TelemetryTokenPath, request: ApiRequest, telemetry: NamedDependency[TelemetryService]
    ) -> None:
        """Tell of a playback session: a batch of events, or a player's CMCD version 2 report. Durable when answered."""
        try:
            session = telemetry.session_of(token)
            await telemetry.accept(session, await read_report(request), request.headers.get("user-agent"))
        except MarqueeError as error:
            telemetry.count_refusal(error)
            raise
