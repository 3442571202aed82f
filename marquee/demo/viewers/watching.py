"""One playback session as a list of events, from asking for play to the exit: pure, in order, nothing after the exit.

The rules are those of the counts (CTA-2066): an exit before start has no error and no first frame; a start failure has a fatal
error before the first frame; a playback failure has one after it. The watched times of heartbeats and exit add up to what was
watched, and leave stalls, pauses and seeks out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

from marquee.demo.viewers.people import Viewer

Ending = Literal["exit_before_start", "start_failure", "playback_failure", "left", "completed"]

HEARTBEAT_MS: Final = 10_000
LADDER: Final = ((2160, 14_000), (1080, 4_800), (720, 2_400), (480, 1_100), (360, 650), (240, 300))
"""(lines, kbit/s) of what players show."""
EXIT_BEFORE_START_SHARE: Final = 0.02
"""On the fastest network. A slow start loses more viewers."""
START_ERRORS: Final = (("network-timeout", 5), ("http-403", 2), ("manifest-parse", 1), ("decode", 1))
PLAYBACK_ERRORS: Final = (("network-timeout", 6), ("segment-404", 2), ("decode", 2))
SEEK_SHARE: Final = 0.12
PAUSE_SHARE: Final = 0.06
"""Of the heartbeats in which that happens."""


@dataclass(frozen=True)
class Film:
    """A playable title. `height`: lines of its best rendition."""

    movie_id: str
    title: str
    genres: tuple[str, ...]
    duration_seconds: float
    height: int = 1080
    version: int = 1


@dataclass(frozen=True)
class Happening:
    """One event of a session: `at_ms` since the session's start, and the fields that its kind has."""

    at_ms: int
    kind: str
    fields: dict[str, int | float | str | bool] = field(default_factory=dict)


def play(random: Random, viewer: Viewer, film: Film) -> tuple[Ending, list[Happening]]:
    """A session of this viewer with this film: how it ends, and its events in order."""
    ending = _ending(random, viewer, film)
    events = list(_Session(random, viewer, film, ending).events())
    return ending, events


def _ending(random: Random, viewer: Viewer, film: Film) -> Ending:
    network = viewer.network
    chance = random.random()
    if chance < network.failure_share:
        return random.choice(("start_failure", "playback_failure"))
    if chance < network.failure_share + EXIT_BEFORE_START_SHARE * (1 + network.startup_ms / 1000):
        return "exit_before_start"
    liking = viewer.liking(film.genres)
    return "completed" if random.random() < 0.35 + 0.5 * liking / (liking + 4) else "left"


@dataclass
class _Session:
    """The state of one player while the session is made."""

    random: Random
    viewer: Viewer
    film: Film
    ending: Ending
    at_ms: int = 0
    position_ms: int = 0
    unreported_ms: int = 0

    def events(self) -> Iterator[Happening]:
        yield self._event("attempt")
        startup_ms = self._about(self.viewer.network.startup_ms)
        if self.ending == "exit_before_start":
            # Who leaves has waited longer than others.
            self.at_ms += startup_ms + self._about(3_000)
            yield self._event("exit", watched_ms=0)
            return
        if self.ending == "start_failure":
            self.at_ms += startup_ms + self._about(4_000)
            yield self._error(START_ERRORS)
            yield self._event("exit", watched_ms=0)
            return
        self.at_ms += startup_ms
        yield self._event("first_frame", duration_ms=startup_ms)
        height, kbps = self._rendition()
        yield self._event("rendition", height=height, kbps=kbps)
        yield from self._watch(self._end_ms())
        if self.ending == "playback_failure":
            yield self._error(PLAYBACK_ERRORS)
        if self.random.random() < 0.1:
            yield self._event("dropped_frames", count=self.random.randint(1, 40))
        yield self._event("exit", watched_ms=self._report())

    def _watch(self, end_ms: int) -> Iterator[Happening]:
        """Play up to the position `end_ms` of the film, a heartbeat's time at once."""
        while self.position_ms < end_ms:
            yield from self._disturbances(end_ms)
            step_ms = min(HEARTBEAT_MS, end_ms - self.position_ms)
            self.at_ms += step_ms
            self.position_ms += step_ms
            self.unreported_ms += step_ms
            if self.position_ms < end_ms:
                yield self._event("heartbeat", watched_ms=self._report())

    def _disturbances(self, end_ms: int) -> Iterator[Happening]:
        network = self.viewer.network
        if self.random.random() < network.stalls_per_minute * HEARTBEAT_MS / 60_000:
            stall_ms = self._about(network.stall_ms)
            yield self._event("stall_begin")
            self.at_ms += stall_ms
            yield self._event("stall_end", duration_ms=stall_ms)
        left_ms = end_ms - self.position_ms
        if left_ms > 2 * HEARTBEAT_MS and self.random.random() < SEEK_SHARE:
            self.position_ms += self.random.randint(1_000, left_ms - HEARTBEAT_MS)
            seek_ms = self._about(network.startup_ms // 2)
            self.at_ms += seek_ms
            yield self._event("seek", duration_ms=seek_ms)
        if self.random.random() < PAUSE_SHARE:
            yield self._event("pause")
            self.at_ms += self._about(20_000)
            yield self._event("play")

    def _end_ms(self) -> int:
        """The position at which the session ends."""
        duration_ms = int(self.film.duration_seconds * 1000)
        if self.ending == "completed":
            return duration_ms
        return max(1, int(duration_ms * min(0.9, self.random.betavariate(1.2, 2.5))))

    def _rendition(self) -> tuple[int, int]:
        """The best rendition that film, screen and network allow."""
        lines = min(self.film.height, self.viewer.device.height)
        fitting = [each for each in LADDER if each[0] <= lines and each[1] <= 0.8 * self.viewer.network.kbps]
        return fitting[0] if fitting else LADDER[-1]

    def _report(self) -> int:
        watched_ms, self.unreported_ms = self.unreported_ms, 0
        return watched_ms

    def _about(self, median_ms: int) -> int:
        """Waiting times have a long tail: a third of them lie more than a factor 1.6 from the median."""
        return max(1, int(median_ms * self.random.lognormvariate(0, 0.5)))

    def _error(self, errors: tuple[tuple[str, int], ...]) -> Happening:
        code = self.random.choices([code for code, _ in errors], [weight for _, weight in errors])[0]
        return self._event("error", error_code=code, is_fatal=True)

    def _event(self, kind: str, **fields: int | float | str | bool) -> Happening:
        return Happening(self.at_ms, kind, {"position_seconds": self.position_ms / 1000, **fields})
