"""A week of the demo's viewers: who watches what, and when. Pure: the same arguments give the same week.

A viewer chooses by taste, by a film's appeal, and by what it has seen: watched films are seldom watched again. The appeal of
some films grows or fades from day to day, so that what trends is not what was watched most. Engineers' previews and a robot
are in the week too: the figures of viewers must leave both out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from marquee.demo.viewers.people import NETWORKS, ROBOT, TASTES, Viewer, draw_viewer
from marquee.demo.viewers.rhythm import HOUR_MS, moments
from marquee.demo.viewers.watching import Ending, Film, Happening, play
from marquee.domain.ids import ALPHABET, LENGTH

SESSIONS: Final = 3_000
VIEWERS: Final = 400
PREVIEW_SHARE: Final = 0.01
ROBOT_SHARE: Final = 0.02
FAVOURITES: Final = 3
AGAIN: Final = 0.15
"""How much less a film attracts a viewer who has watched it."""
MARGIN_MS: Final = HOUR_MS // 6
"""For starts, stalls and pauses. A session that still runs after the longest film and this time is left out."""


@dataclass(frozen=True)
class Appeal:
    """How much a film attracts everybody today, and by which factor that grows from day to day."""

    today: float = 1.0
    growth: float = 1.0

    def days_ago(self, days: float) -> float:
        return self.today / float(self.growth**days)


APPEALS: Final[Mapping[str, Appeal]] = {
    "City of Bicycles": Appeal(6.0, 1.8),
    "Earth from Orbit": Appeal(3.0, 1.25),
    "Big Buck Bunny": Appeal(2.5),
    "The Marquee Reel": Appeal(0.8, 0.75),
}
"""Of the demo's films by their titles; others have `Appeal()`."""


@dataclass(frozen=True)
class PlannedSession:
    """A playback session that `sending` posts. `started_at_ms`: Unix milliseconds of its first event."""

    started_at_ms: int
    viewer: Viewer
    film: Film
    ending: Ending
    events: Sequence[Happening]
    is_preview: bool = False


def plan_week(
    films: Sequence[Film],
    *,
    now_ms: int,
    seed: int = 1,
    sessions: int = SESSIONS,
    profiles: Mapping[str, str] | None = None,
) -> list[PlannedSession]:
    """At most `sessions` sessions of the seven days before `now_ms`, in the order of their beginning. All are over by then.

    `profiles`: profile_id -> taste (its name in TASTES) of real profiles, which watch beside the invented ones, and only the
    FAVOURITES films that they like best: enough is left to suggest to them.
    """
    random = Random(seed)  # noqa: S311  (a repeatable week, no secret)
    viewers = [draw_viewer(random, profile_id, taste=taste) for profile_id, taste in (profiles or {}).items()]
    viewers += [draw_viewer(random, _profile_id(random)) for _ in range(max(1, sessions * VIEWERS // SESSIONS))]
    favourites = {viewer.profile_id: _favourites(viewer, films) for viewer in viewers[: len(profiles or {})]}
    robot = Viewer(_profile_id(random), TASTES[-1], ROBOT, NETWORKS[0], 0.0)
    activity = [viewer.activity for viewer in viewers]
    watched: set[tuple[str, str]] = set()
    planned: list[PlannedSession] = []
    longest_ms = int(max(film.duration_seconds for film in films) * 1000) + MARGIN_MS
    for started_at_ms in moments(random, sessions, until_ms=now_ms - longest_ms):
        chance = random.random()
        viewer = robot if chance < ROBOT_SHARE else random.choices(viewers, activity)[0]
        days = (now_ms - started_at_ms) / (24 * HOUR_MS)
        film = _choose(random, viewer, favourites.get(viewer.profile_id, films), days, watched)
        ending, events = play(random, viewer, film)
        if started_at_ms + events[-1].at_ms > now_ms:
            continue
        if ending == "completed":
            watched.add((viewer.profile_id, film.movie_id))
        is_preview = ROBOT_SHARE <= chance < ROBOT_SHARE + PREVIEW_SHARE
        planned.append(PlannedSession(started_at_ms, viewer, film, ending, events, is_preview))
    return planned


def _favourites(viewer: Viewer, films: Sequence[Film]) -> Sequence[Film]:
    """The films that a viewer likes best; of two that are liked alike the one with more appeal."""

    def preference(film: Film) -> tuple[float, float]:
        return viewer.liking(film.genres), APPEALS.get(film.title, Appeal()).today

    return sorted(films, key=preference, reverse=True)[:FAVOURITES]


def _choose(random: Random, viewer: Viewer, films: Sequence[Film], days: float, watched: set[tuple[str, str]]) -> Film:
    weights = [
        viewer.liking(film.genres)
        * APPEALS.get(film.title, Appeal()).days_ago(days)
        * (AGAIN if (viewer.profile_id, film.movie_id) in watched else 1.0)
        for film in films
    ]
    return random.choices(films, weights)[0]


def _profile_id(random: Random) -> str:
    return "p_" + "".join(random.choices(ALPHABET, k=LENGTH))
