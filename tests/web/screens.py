"""Every page and state of the web client that `test_screens` and `test_layout_shift` look at, as data.

A state is a path, what the platform answers (`made_site`), who looks, what the visitor does, and what is shown then.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from playwright.async_api import FilePayload, Page

from tests.harness.web.answers import Json, made, refused
from tests.harness.web.made_reports import MANY_REPORTS, ONE_DOWN
from tests.harness.web.made_site import LONG_TITLE, LONG_WORD, MOVIE, UNBROKEN, UPLOAD, Amount
from tests.harness.web.odd_names import ODD_NAMES

Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class Screen:
    path: str
    shown: str
    """A selector of what is there once the page stands."""
    amount: Amount = "few"
    visitor: Literal["stranger", "engineer"] = "engineer"
    answers: dict[str, tuple[int, Json]] = field(default_factory=dict)
    """Other answers than those of the amount, by path."""
    then: Act | None = None
    stored: dict[str, str] = field(default_factory=dict)
    """What the browser's localStorage holds."""


def press(name: str) -> Act:
    async def act(page: Page) -> None:
        await page.get_by_role("button", name=name, exact=True).click()

    return act


async def open_menu(page: Page, name: str) -> None:
    await page.wait_for_function("() => (document.querySelector('video')?.readyState ?? 0) > 1")
    await page.locator("video").evaluate("(video) => video.pause()")
    await page.get_by_role("button", name=name, exact=True).click()
    await page.get_by_role("menuitemradio").first.wait_for()


def menu(name: str) -> Act:
    return lambda page: open_menu(page, name)


async def pause(page: Page) -> None:
    """The controls stay: they leave a film that plays."""
    await page.wait_for_function("() => (document.querySelector('video')?.readyState ?? 0) > 1")
    await page.locator("video").evaluate("(video) => video.pause()")


async def end(page: Page) -> None:
    await page.wait_for_function("() => (document.querySelector('video')?.readyState ?? 0) > 1")
    await page.locator("video").evaluate("(video) => { video.currentTime = video.duration - 0.3; void video.play(); }")
    await page.get_by_test_id("ending").wait_for(timeout=60_000)
    await page.get_by_test_id("ending-similar").wait_for()


async def show_keys(page: Page) -> None:
    await page.keyboard.press("?")
    await page.locator("dialog[open]").wait_for()


async def show_more(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})  # a wide screen has no such menu
    await page.locator("video").evaluate("(video) => video.pause()")
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menu", name="More").wait_for()


async def show_statistics(page: Page) -> None:
    await page.wait_for_function("() => (document.querySelector('video')?.readyState ?? 0) > 1")
    await page.locator("video").evaluate("(video) => video.pause()")
    await page.keyboard.press("i")
    await page.get_by_test_id("stats").get_by_text("Codecs").wait_for()


async def stop_film(page: Page) -> None:
    """Nothing of the film can be found."""
    await page.route("**/made/stream/*", lambda route: route.fulfill(status=404))
    await page.reload()
    await page.get_by_role("alert").get_by_role("button", name="Leave out 10 seconds").wait_for()


async def show_caption_look(page: Page) -> None:
    await open_menu(page, "Subtitles")
    await page.get_by_role("menuitem", name="Size and look…").click()
    dialog = page.get_by_role("dialog", name="Subtitle size and look")
    await dialog.get_by_label("Largest").check()


async def choose_films(page: Page) -> None:
    names = [f"{LONG_WORD[:180]}.{n}.mkv" if n % 2 else f"film {n} (1999).mp4" for n in range(20)]
    films = [FilePayload(name=name, mimeType="video/mp4", buffer=b"not sent") for name in names]
    await page.get_by_label("Choose films").set_input_files(films)
    await page.get_by_test_id("upload").nth(19).wait_for()


async def choose_one_film(page: Page) -> None:
    film = FilePayload(name=f"{LONG_WORD[:180]}.mkv", mimeType="video/mp4", buffer=b"not sent")
    await page.get_by_label("Choose films").set_input_files(film)
    await page.get_by_test_id("upload").wait_for()


async def open_all(page: Page) -> None:
    """Of the first titles one is edited, another asks before it is deleted; all reasons are open."""
    rows = page.get_by_test_id("studio-title")
    await rows.nth(0).get_by_role("button", name="Edit").click()
    await page.evaluate("() => document.querySelectorAll('details').forEach((one) => (one.open = true))")
    await rows.nth(3).get_by_role("button", name="Delete").click()


async def open_tables(page: Page) -> None:
    """The figures behind every chart."""
    await page.evaluate("() => document.querySelectorAll('details').forEach((one) => (one.open = true))")


async def be_refused(page: Page) -> None:
    await page.get_by_label("Email").fill("somebody@example.org")
    await page.get_by_label("Password").first.fill("not the password")
    await page.locator("form.entry-form button[type=submit]").click()
    await page.get_by_role("alert").wait_for()


def _followed(number: int, state: str, **more: object) -> tuple[int, Json]:
    status = made("UploadStatus", upload_id=UPLOAD.format(number), file_name=f"{LONG_TITLE}.mkv", state=state, **more)
    return 200, status


_UPLOADS: Final = [
    {"uploadId": UPLOAD.format(n), "title": LONG_TITLE if n % 2 else f"Film {n}", "fileName": f"{LONG_WORD[:200]}.mkv"}
    | {"sizeBytes": 10**9, "arrived": n != 3}
    for n in range(12)
]
_ENDS: Final = {
    f"/uploads/{UPLOAD.format(n)}": _followed(n, state, reason=reason)
    for n, (state, reason) in enumerate(
        [
            ("playable", None),
            ("refused", f"The file is damaged after 12 s: {LONG_WORD}"),
            ("failed", UNBROKEN[:600]),
            ("uploading", None),
            ("duplicate", None),
            ("aborted", None),
            ("abandoned", None),
            ("superseded", None),
        ]
    )
}
_DOWN: Final = refused(503, "store-unavailable", "The rows could not be read.")
_DEGRADED: Final = made(
    "Home",
    rows=[
        made("Row", id="new-releases", title="New releases", items=[made("RowItem", movie_id=MOVIE, title=LONG_TITLE)])
    ],
    degraded=[made("MissingRow", id=f"row-{n}", title=LONG_WORD[:120], reason="store-unavailable") for n in range(12)],
)
_HIDDEN: Final = made("TitleOut", movie_id=MOVIE, title=LONG_TITLE, state="failed", description=UNBROKEN)
_ODD_CARDS: Final = [
    made("RowItem", movie_id=f"{MOVIE[:-2]}{n:02}", title=name, duration_seconds=150.0 + n)
    for n, name in enumerate(ODD_NAMES)
]
_ODD_HOME: Final = made(
    "Home",
    rows=[
        made("Row", id="continue-watching", title="Continue watching", items=_ODD_CARDS),
        made("Row", id="new-releases", title="New releases", items=_ODD_CARDS[::-1]),
    ],
)
_ODD_SEARCH: Final = made(
    "SearchResults",
    results=[
        made("SearchResult", movie_id=f"{MOVIE[:-2]}{n:02}", title=name, playable=n % 2 == 0)
        for n, name in enumerate(ODD_NAMES)
    ],
)
_ODD_HISTORY: Final = made(
    "HistoryPage",
    items=[
        made("HistoryItem", movie_id=f"{MOVIE[:-2]}{n:02}", title=name, last_watched_at="2026-06-01T10:00:00Z")
        for n, name in enumerate(ODD_NAMES)
    ],
)


_HEADING: Final = "h1"
_CARD: Final = "css=[data-testid=title-card] img"
_ALERT: Final = "role=alert"
_PLAYS: Final = "css=video"
_STUDIO: Final = "css=[data-testid=studio-title]"

SCREENS: Final = {
    "login": Screen("/login", _HEADING, visitor="stranger"),
    "login refused": Screen(
        "/login",
        _HEADING,
        visitor="stranger",
        then=be_refused,
        answers={"/sessions": refused(401, "wrong-password", f"Email or password is wrong. {LONG_TITLE}")},
    ),
    "join": Screen("/join", _HEADING, visitor="stranger"),
    "home, nothing": Screen("/", "text=Nothing is on yet", "nothing"),
    "home, few": Screen("/", _CARD),
    "home, many": Screen("/", _CARD, "many"),
    "home, odd names": Screen("/", "css=[data-testid=title-card]", answers={"/home": (200, _ODD_HOME)}),
    "search, odd names": Screen(
        f"/search?q={ODD_NAMES[1][:20]}",
        "css=[data-testid=title-card]",
        answers={"/search": (200, _ODD_SEARCH)},
    ),
    "history, odd names": Screen("/history", "css=[data-testid=title-card]", answers={"/history": (200, _ODD_HISTORY)}),
    "title, from right to left": Screen(
        f"/title/{MOVIE}",
        _HEADING,
        answers={"/titles/.*": (200, made("TitleOut", movie_id=MOVIE, title=ODD_NAMES[1], state="failed"))},
    ),
    "title, emoji": Screen(
        f"/title/{MOVIE}",
        _HEADING,
        answers={"/titles/.*": (200, made("TitleOut", movie_id=MOVIE, title=ODD_NAMES[0], state="failed"))},
    ),
    "home, rows missing": Screen("/", _ALERT, answers={"/home": (200, _DEGRADED)}),
    "home, down": Screen("/", _ALERT, answers={"/home": _DOWN}),
    "search, no query": Screen("/search", _HEADING),
    "search, nothing": Screen(f"/search?q={LONG_WORD[:200]}", "text=Nothing found", "nothing"),
    "search, few": Screen("/search?q=film", _CARD),
    "search, many": Screen(f"/search?q={LONG_WORD[:200]}", _CARD, "many"),
    "search, down": Screen("/search?q=film", _ALERT, answers={"/search": _DOWN}),
    "title, nothing": Screen(f"/title/{MOVIE}", "css=[data-testid=play]", "nothing"),
    "title, few": Screen(f"/title/{MOVIE}", "css=[data-testid=play]"),
    "title, many": Screen(f"/title/{MOVIE}", "text=From the start", "many"),
    "title, failed": Screen(f"/title/{MOVIE}", _ALERT, answers={"/titles/.*": (200, _HIDDEN)}),
    "title, unknown": Screen(
        f"/title/{MOVIE}",
        _ALERT,
        answers={"/titles/.*": refused(404, "title-not-found", f"There is no title {LONG_TITLE}.")},
    ),
    "watch": Screen(f"/watch/{MOVIE}", _PLAYS, then=pause),
    "watch, ended": Screen(f"/watch/{MOVIE}", _PLAYS, "many", then=end),
    "watch, subtitles": Screen(f"/watch/{MOVIE}", _PLAYS, "many", then=menu("Subtitles")),
    "watch, audio": Screen(f"/watch/{MOVIE}", _PLAYS, "many", then=menu("Audio")),
    "watch, quality": Screen(f"/watch/{MOVIE}", _PLAYS, "many", then=menu("Quality and speed")),
    "watch, more": Screen(f"/watch/{MOVIE}", _PLAYS, "many", then=show_more),
    "watch, keys": Screen(f"/watch/{MOVIE}", _PLAYS, "many", then=show_keys),
    "watch, statistics": Screen(f"/watch/{MOVIE}", _PLAYS, "many", then=show_statistics),
    "watch, look of subtitles": Screen(f"/watch/{MOVIE}", _PLAYS, "many", then=show_caption_look),
    "watch, stopped": Screen(f"/watch/{MOVIE}", _PLAYS, then=stop_film),
    "watch, not yet": Screen(
        f"/watch/{MOVIE}",
        _ALERT,
        answers={"/stream": refused(409, "title-not-playable", f"It is being prepared. {UNBROKEN[:300]}")},
    ),
    "history, nothing": Screen("/history", "text=You have not watched", "nothing"),
    "history, few": Screen("/history", _CARD),
    "history, many": Screen("/history", _CARD, "many"),
    "history, down": Screen("/history", _ALERT, answers={"/history": _DOWN}),
    "account": Screen("/account", "css=[data-testid=session]"),
    "account, many": Screen("/account", "css=[data-testid=session]", "many"),
    "account, down": Screen("/account", _ALERT, answers={"/accounts/me": _DOWN}),
    "upload": Screen("/upload", "css=input[type=file]"),
    "upload, 20 films": Screen("/upload", "css=input[type=file]", then=choose_films),
    "upload, each state": Screen(
        "/upload", "css=[data-testid=upload] >> nth=10", answers=_ENDS, stored={"marquee.uploads": json.dumps(_UPLOADS)}
    ),
    "upload, replacing": Screen(f"/upload?title={MOVIE}", "css=input[type=file]", "many", then=choose_one_film),
    "studio, nothing": Screen("/studio", "text=There are no titles yet", "nothing"),
    "studio, nothing fits": Screen(f"/studio?q={LONG_WORD[:200]}", "text=No title fits", "nothing"),
    "studio, one": Screen("/studio", _STUDIO),
    "studio, many": Screen("/studio", _STUDIO, "many"),
    "studio, all opened": Screen("/studio", _STUDIO, "many", then=open_all),
    "studio, down": Screen("/studio", _ALERT, answers={"/titles": _DOWN}),
    "analytics, nothing": Screen("/analytics", "text=No viewer data yet"),
    "analytics, many": Screen("/analytics", "css=.bars", answers=MANY_REPORTS, then=open_tables),
    "analytics, one down": Screen("/analytics", _ALERT, answers=ONE_DOWN),
    "no such page": Screen(f"/{LONG_WORD[:200]}", _HEADING),
}
