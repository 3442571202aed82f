"""`/titles`: one title for all callers; the list and all changes for content engineers.

Every answer has the title's revision as its ETag. An edit with `If-Match` is refused if the title changed meanwhile.
"""

import re
from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from msgspec import UNSET

from api.auth.tokens import Caller
from api.guards import BEARER, MANAGES_TITLES
from api.problems import documented
from api.request_deadline import LONG
from api.titles.schemas import SimilarOut, TitleEdit, TitleOut, TitlePage
from api.titles.service import TitleService
from api.titles.similar import SimilarTitles
from api.wire import ONE_LINE, CursorQuery, LimitQuery, MovieIdPath
from marquee.domain.lifecycle import TitleState
from marquee.errors import InputInvalid
from marquee.stores.catalogue.values import TitleQuery

TitleTextQuery = Annotated[
    str,
    QueryParameter(max_length=200, pattern=ONE_LINE, description="Each word begins a word of the title."),
]
VersionPath = Annotated[int, PathParameter(ge=1, le=2**31 - 1, description="A title's version: 1, 2, ...")]
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
        q: TitleTextQuery = "",
        with_notes: Annotated[bool, QueryParameter(description="Only titles with notes.")] = False,
        in_work: Annotated[
            bool, QueryParameter(description="Only titles with a version that is uploaded or ingested now.")
        ] = False,
    ) -> TitlePage:
        """Titles, those that changed last first; refused and failed ones with the reason. Deleted ones only by `state`."""
        query = TitleQuery(state=wanted_state, text=q, with_notes=with_notes, in_work=in_work)
        return await titles.page(query, limit=limit, cursor=cursor)

    @get("/{movie_id:str}", responses=documented(401, 403, 404))
    async def title(
        self, movie_id: MovieIdPath, caller: NamedDependency[Caller], titles: NamedDependency[TitleService]
    ) -> Response[TitleOut]:
        """One title; `playable` says whether it can be watched."""
        return _with_etag(await titles.title(caller, movie_id))

    @get("/{movie_id:str}/similar", responses=documented(401, 403))
    async def similar(
        self,
        movie_id: MovieIdPath,
        similar_titles: NamedDependency[SimilarTitles],
        limit: LimitQuery = 12,
    ) -> SimilarOut:
        """More like this: playable titles, the most similar first. Empty where there is nothing, also for an unknown title."""
        return await similar_titles.of(movie_id, limit=limit)

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

    @post(
        "/{movie_id:str}/versions/{version:int}/cancel",
        status_code=204,
        opt={**MANAGES_TITLES, **LONG},
        responses=documented(401, 403, 404, 409),
    )
    async def cancel(self, movie_id: MovieIdPath, version: VersionPath, titles: NamedDependency[TitleService]) -> None:
        """Cancel a version in work. What it stored is removed; the version that plays stays."""
        await titles.cancel(movie_id, version)

    @delete("/{movie_id:str}", opt={**MANAGES_TITLES, **LONG}, responses=documented(401, 403, 404, 409))
    async def delete(self, movie_id: MovieIdPath, titles: NamedDependency[TitleService]) -> None:
        """Delete a title with its streams and images. Repeat it if it was cut short."""
        await titles.delete(movie_id)
