"""`/history`: the watch history of the token's profile, newest first, page by page."""

from litestar import Controller, get
from litestar.di import NamedDependency

from api.auth.tokens import Caller
from api.guards import BEARER
from api.history.schemas import HistoryPage
from api.history.service import HistoryService
from api.problems import documented
from api.wire import CursorQuery, LimitQuery


class HistoryController(Controller):
    """The watch history."""

    path = "/history"
    tags = ("Playing",)
    security = BEARER

    @get("/", responses=documented(401, 403))
    async def history(
        self,
        caller: NamedDependency[Caller],
        history: NamedDependency[HistoryService],
        limit: LimitQuery = 20,
        cursor: CursorQuery = "",
    ) -> HistoryPage:
        """What the profile watched, newest first."""
        return await history.page(caller, limit=limit, cursor=cursor)
