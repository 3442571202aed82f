"""A platform's answers with nothing, few or many of everything, given to a page by its browser.

`answer_pages` gives them to one page; what it does not know goes on to the real platform. Pictures are a plain colour of the size
that the chain cuts, and may be held back until a test lets them go.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from PIL import Image
from playwright.async_api import Page, Route

from marquee.domain.rows import CONTINUE_WATCHING
from tests.harness.web.answers import Json, made

Amount = Literal["nothing", "few", "many"]
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
LONG_TITLE = LONG_WORD[:200]
DESCRIPTION = ("A keeper counts the ships that pass, and one night a ship counts him. " * 80)[:5000]
UNBROKEN = "x" * 5000
MOVIE = "11111111-2222-4333-8444-555555555555"
UPLOAD = "99999999-2222-4333-8444-55555555{:04}"


@dataclass
class Answers:
    """What the made platform says. `paths` overrides an answer by the path below /api/v1, with a status."""

    amount: Amount
    edge: str
    stream: Path
    """Folder of the film that plays (`made_stream`)."""
    paths: dict[str, tuple[int, Json]] = field(default_factory=dict)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers are held back until this is set."""
    showing: asyncio.Event = field(default_factory=asyncio.Event)
    """Pictures are held back until this is set."""

    def let_go(self) -> "Answers":
        """Answers and pictures come at once."""
        self.answering.set()
        self.showing.set()
        return self

    def poster(self, number: int) -> str:
        return f"{self.edge}/made/{number}.jpg"

    def to(self, path: str) -> tuple[int, Json] | None:
        """The status and the body for this path; None: the real platform answers."""
        for pattern, answer in self.paths.items():
            if re.fullmatch(pattern, path):
                return answer
        for pattern, body in _BODIES.items():
            if re.fullmatch(pattern, path):
                return 200, body(self)
        return None


async def answer_pages(page: Page, made_answers: Answers) -> None:
    async def answer(route: Route) -> None:
        found = made_answers.to(urlsplit(route.request.url).path.removeprefix("/api/v1"))
        if found is None or (route.request.method != "GET" and found[0] == 200):
            await route.fallback()
            return
        await made_answers.answering.wait()
        status, body = found
        kind = "application/json" if status < 400 else "application/problem+json"
        await route.fulfill(status=status, content_type=kind, body=json.dumps(body))

    async def show(route: Route) -> None:
        await made_answers.showing.wait()
        await route.fulfill(content_type="image/jpeg", body=_picture())

    async def stream(route: Route) -> None:
        path = made_answers.stream / urlsplit(route.request.url).path.rsplit("/", 1)[-1]
        await route.fulfill(path=path, headers={"Access-Control-Allow-Origin": "*"})

    await page.route("**/api/v1/**", answer)
    await page.route(f"{made_answers.edge}/made/*.jpg", show)
    await page.route(f"{made_answers.edge}/made/stream/*", stream)


@cache
def _picture() -> bytes:
    held = BytesIO()
    Image.new("RGB", (960, 540), (122, 84, 40)).save(held, "JPEG")
    return held.getvalue()


_NAMES = (LONG_TITLE, "Up", "The Lighthouse Keeper and the Cartographer's Daughter", "سلسلة المنارة الطويلة")


def _name(number: int) -> str:
    return _NAMES[number % 4]


def _count(amount: Amount, few: int, many: int) -> int:
    return {"nothing": 0, "few": few, "many": many}[amount]


def _card(self: Answers, number: int, **more: object) -> Json:
    many = self.amount == "many"
    return made(
        "RowItem",
        movie_id=f"11111111-2222-4333-8444-{number:012}",
        title=_name(number) if many else f"Film {number}",
        year=2001,
        genres=_genres(self),
        duration_seconds=5400,
        poster_url=None if number % 5 == 4 else self.poster(number),
        **more,
    )


def _genres(self: Answers) -> list[str]:
    if self.amount == "many":
        return [f"Genre number {n}" for n in range(38)] + [LONG_WORD[:60], "Sci-Fi"]
    return ["Drama", "Comedy"]


def _home(self: Answers) -> Json:
    if self.amount == "nothing":
        return made("Home", rows=[], next_cursor=None)
    many = self.amount == "many"
    kept = [_card(self, n, resume_position_seconds=600, watched_percent=12.5) for n in range(12 if many else 2)]
    rows = [made("Row", id=CONTINUE_WATCHING.row_id, title="Continue watching", items=kept)]
    rows.append(
        made("Row", id="new-releases", title="New releases", items=[_card(self, n) for n in range(12 if many else 3)])
    )
    because = f"Because you watched {LONG_TITLE if many else 'The Lighthouse Keeper'}"
    for row_id, name in (("trending", "Trending now"), (f"because-{MOVIE}", because)):
        rows.append(made("Row", id=row_id, title=name, items=[_card(self, n) for n in range(12 if many else 8)]))
    for number in range(40 if many else 1):
        name = LONG_WORD[:120] if number == 1 else f"Genre number {number}"
        rows.append(
            made("Row", id=f"genre-{number}", title=name, items=[_card(self, n) for n in range(4 if many else 2)])
        )
    return made("Home", rows=rows, next_cursor=None)


def _search(self: Answers) -> Json:
    found = [
        made(
            "SearchResult",
            movie_id=f"11111111-2222-4333-8444-{n:012}",
            title=_name(n) if self.amount == "many" else f"Film {n}",
            year=1999,
            playable=n % 3 != 2,
            poster_url=self.poster(n),
            duration_seconds=7260,
        )
        for n in range(_count(self.amount, 3, 48))
    ]
    return made("SearchResults", results=found)


def _title(self: Answers) -> Json:
    many = self.amount == "many"
    notes = [
        made("NoteOut", code="no-sound", severity=severity, sentence=(LONG_TITLE if n == 1 else DESCRIPTION[:140]))
        for n, severity in enumerate(["serious", "warning", "warning", "info", "info"] * (2 if many else 0))
    ]
    return made(
        "TitleOut",
        movie_id=MOVIE,
        title=LONG_TITLE if many else "The Lighthouse Keeper",
        state="playable",
        playable=True,
        year=1999,
        description={"nothing": None, "few": DESCRIPTION[:140], "many": DESCRIPTION}[self.amount],
        genres=[] if self.amount == "nothing" else _genres(self),
        people=[LONG_WORD[:80] if n == 1 else f"Somebody Number {n}" for n in range(_count(self.amount, 2, 40))],
        duration_seconds=5400,
        poster_url=None if self.amount == "nothing" else self.poster(1),
        notes=notes,
        created_at="2026-01-01T00:00:00Z",
    )


def _titles(self: Answers) -> Json:
    states = ("playable", "ingesting", "refused", "failed", "cancelled", "unpublished", "announced")
    ends = ("ingesting", "uploading", "refused", "failed", "cancelled")
    found = [
        _title(self)
        | made(
            "TitleOut",
            movie_id=f"11111111-2222-4333-8444-{n:012}",
            title=_name(n) if self.amount == "many" else f"Film {n}",
            state=states[n % 7],
            changed_at="2026-01-01T00:00:00Z",
            poster_url=None if n % 5 == 4 else self.poster(n),
            active_version=1 if n % 2 else None,
            reason=LONG_TITLE if states[n % 7] in ("refused", "failed") else None,
            newest_version=made(
                "TitleVersionOut",
                version=2,
                state=ends[n % 5],
                stage="renditions",
                reason=LONG_WORD if n % 5 > 1 else None,
                uploaded_by=f"{LONG_WORD[:200]}@example.org",
            ),
            notes=[made("NoteOut", code="no-sound", severity="warning", sentence=LONG_TITLE)] * (n % 3),
        )
        for n in range(_count(self.amount, 1, 60))
    ]
    return made("TitlePage", titles=found, next_cursor="more")


def _history(self: Answers) -> Json:
    items = [
        made(
            "HistoryItem",
            movie_id=f"11111111-2222-4333-8444-{n:012}",
            title=_name(n) if self.amount == "many" else f"Film {n}",
            poster_url=self.poster(n),
            duration_seconds=5400,
            year=2001,
            first_watched_at="2026-01-01T00:00:00Z",
            last_watched_at=f"2026-01-{28 - n // 4:02}T00:00:00Z",
        )
        for n in range(_count(self.amount, 3, 48))
    ]
    return made("HistoryPage", items=items)


def _stream(self: Answers) -> Json:
    return made(
        "Stream",
        movie_id=MOVIE,
        title=LONG_TITLE if self.amount == "many" else "The Lighthouse Keeper",
        stream_url=f"{self.edge}/made/stream/master.m3u8",
        dash_url=f"{self.edge}/made/stream/manifest.mpd",
        duration_seconds=12,
        resume_position_seconds=3 if self.amount == "many" else 0,
        expires_at="2100-01-01T00:00:00Z",
    )


def _account(self: Answers) -> Json:
    many = self.amount == "many"
    profiles = [
        made(
            "ProfileOut",
            profile_id=f"profile-{n}",
            name=(LONG_WORD[:60] if n % 2 else "W" * 60) if many else f"Viewer {n}",
        )
        for n in range(7 if many else 1)
    ]
    email = f"{LONG_WORD[:200]}@example.org" if many else "engineer@example.org"
    return made("AccountOut", account_id="account", email=email, role="engineer", profiles=profiles)


def _sessions(self: Answers) -> Json:
    open_sessions = [
        made(
            "OpenSession",
            session_id=f"session-{n}",
            device=LONG_WORD[:120] if n == 1 else "Chrome on Windows",
            current=n == 0,
            last_used_at="2026-01-01T00:00:00Z",
        )
        for n in range(100 if self.amount == "many" else 1)
    ]
    return made("OpenSessions", sessions=open_sessions)


def _upload(self: Answers) -> Json:
    return made(
        "UploadStatus",
        file_name=f"{LONG_TITLE}.mkv",
        state="ingesting",
        stage="renditions",
        percent=41.5,
        speed=1.7,
        notes=[made("NoteOut", code="no-sound", severity="warning", sentence=LONG_TITLE)],
    )


_BODIES: dict[str, Callable[[Answers], Json]] = {
    "/home": _home,
    "/search": _search,
    "/titles": _titles,
    "/titles/[^/]+": _title,
    "/titles/[^/]+/similar": lambda self: made(
        "SimilarOut", items=[_card(self, n) for n in range(_count(self.amount, 4, 20))]
    ),
    "/history": _history,
    "/stream": _stream,
    "/accounts/me": _account,
    "/sessions": _sessions,
    "/uploads/[^/]+": _upload,
}
