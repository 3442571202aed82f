"""`/titles`: one title for all callers; the list and all changes for content engineers.

Every answer has the title's revision as its ETag. An edit with `If-Match` is refused if the title changed meanwhile.
"""

import re
from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, JSONBody, QueryParameter
from msgspec import UNSET

from api.auth.tokens import Caller
from api.guards import BEARER, MANAGES_TITLES
from api.problems import documented
from api.request_deadline import LONG
from api.titles.schemas import TitleEdit, TitleOut, TitlePage
from api.titles.service import TitleService
from api.wire import CursorQuery, MovieIdPath
from marquee.domain.lifecycle import TitleState
from marquee.errors import InputInvalid

TitlesLimit = Annotated[int, QueryParameter(ge=1, le=100, description="Titles on a page.")]
_ETAG = re.compile(r'^(?:W/)?"(\d{1,16})"$')


def _with_etag(title: TitleOut) -> Response[TitleOut]:
    return Response(title, headers={"ETag": f'"{title.revision}"'})


def _stated_revision(if_match: str | None, edit: TitleEdit) -> int | None:
    """The revision that the caller read, from `If-Match` or the body. None (no revision, or `*`): edit any revision."""
    if if_match is None or if_match.strip() == "*":
        return None if edit.revision is UNSET else edit.revision
    match = _ETAG.match(if_match.strip())
    if match is None:
        raise InputInvalid(f'If-Match is {if_match[:40]}: send the title\'s ETag, such as "7".', field="If-Match")
    return int(match.group(1))


class TitleController(Controller):
    """Reading and changing titles."""

    path = "/titles"
    tags = ("Titles",)
    security = BEARER

    @get("/", opt=MANAGES_TITLES, responses=documented(401, 403))
    async def titles(
        self,
        titles: NamedDependency[TitleService],
        limit: TitlesLimit = 20,
        cursor: CursorQuery = "",
        wanted_state: Annotated[TitleState | None, QueryParameter(name="state")] = None,
    ) -> TitlePage:
        """All titles by id, those of one state with `state`."""
        return await titles.page(limit=limit, cursor=cursor, state=wanted_state)

    @get("/{movie_id:str}", responses=documented(401, 403, 404))
    async def title(
        self, movie_id: MovieIdPath, caller: NamedDependency[Caller], titles: NamedDependency[TitleService]
    ) -> Response[TitleOut]:
        """One title; `playable` says whether it can be watched."""
        return _with_etag(await titles.title(caller, movie_id))

    @patch("/{movie_id:str}", opt=MANAGES_TITLES, responses=documented(401, 403, 404, 409, 413, 415))
    async def edit(
        self,
        movie_id: MovieIdPath,
        data: JSONBody[TitleEdit],
        titles: NamedDependency[TitleService],
        if_match: Annotated[str | None, HeaderParameter(name="If-Match")] = None,
    ) -> Response[TitleOut]:
        """Change the fields given. With `If-Match` or `revision`: only if nobody changed the title meanwhile."""
        revision = _stated_revision(if_match, data)
        return _with_etag(await titles.edit(movie_id, data, revision=revision))

    @post("/{movie_id:str}/unpublish", status_code=200, opt=MANAGES_TITLES, responses=documented(401, 403, 404, 409))
    async def unpublish(self, movie_id: MovieIdPath, titles: NamedDependency[TitleService]) -> Response[TitleOut]:
        """Take a title out of rows and search; stream URLs already given hold until they expire."""
        return _with_etag(await titles.unpublish(movie_id))

    @post("/{movie_id:str}/republish", status_code=200, opt=MANAGES_TITLES, responses=documented(401, 403, 404, 409))
    async def republish(self, movie_id: MovieIdPath, titles: NamedDependency[TitleService]) -> Response[TitleOut]:
        """Undo `unpublish`."""
        return _with_etag(await titles.republish(movie_id))

    @delete("/{movie_id:str}", opt={**MANAGES_TITLES, **LONG}, responses=documented(401, 403, 404, 409))
    async def delete(self, movie_id: MovieIdPath, titles: NamedDependency[TitleService]) -> None:
        """Delete a title with its streams and images. Repeat it if it was cut short."""
        await titles.delete(movie_id)
