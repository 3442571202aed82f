"""`/home`: the rows of the caller's home page."""

from litestar import Controller, get
from litestar.di import NamedDependency

from api.auth.tokens import Caller
from api.guards import BEARER
from api.home.schemas import Home
from api.home.service import HomeService
from api.problems import documented
from api.wire import CursorQuery, LimitQuery


class HomeController(Controller):
    """The home page."""

    path = "/home"
    tags = ("Home",)
    security = BEARER

    @get("/", responses=documented(401, 403))
    async def home(
        self,
        caller: NamedDependency[Caller],
        home: NamedDependency[HomeService],
        limit: LimitQuery = 10,
        cursor: CursorQuery = "",
    ) -> Home:
        """Continue watching, new releases, trending titles, the profile's suggestions and 20 genres; `limit` items each."""
        return await home.page(caller, limit=limit, cursor=cursor)
