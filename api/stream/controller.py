"""`/stream` and `/stream/progress`."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.auth.tokens import Caller
from api.guards import BEARER
from api.problems import documented
from api.requests import ApiRequest
from api.stream.schemas import Progress, Stream
from api.stream.service import StreamService
from api.wire import MovieIdQuery, PlaybackIdQuery
from marquee.domain.device_class import device_class


class StreamController(Controller):
    """Where to play from, and progress."""

    path = "/stream"
    tags = ("Playing",)
    security = BEARER

    @get("/", responses=documented(401, 403, 404, 409))
    async def stream(
        self,
        movie_id: MovieIdQuery,
        request: ApiRequest,
        caller: NamedDependency[Caller],
        streams: NamedDependency[StreamService],
        session_id: PlaybackIdQuery = None,
    ) -> Stream:
        """Where to play a title from, and at which position. At or past 95 % of the duration that is 0."""
        device = device_class(request.headers.get("user-agent"))
        return await streams.stream(caller, movie_id, device=device, session_id=session_id)

    @post("/progress", status_code=204, responses=documented(401, 403, 404, 409, 413, 415))
    async def progress(
        self, data: JSONBody[Progress], caller: NamedDependency[Caller], streams: NamedDependency[StreamService]
    ) -> None:
        """Note where the viewer is; durable when answered."""
        await streams.record(caller, data)
