"""The demo's viewers: what each likes, and what each watches with.

A taste is a weight for each genre; a viewer chooses among the films by the sum of the weights of a film's genres. Three kinds of
network decide how long a start takes, which rendition is shown and how often playing stalls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final


@dataclass(frozen=True)
class Network:
    """`startup_ms`: median time to the first frame. `stalls_per_minute`: of film; `stall_ms`: the median of one."""

    name: str
    startup_ms: int
    kbps: int
    stalls_per_minute: float
    stall_ms: int
    failure_share: float
    """Of the attempts that end in an error, before or after the first frame."""


NETWORKS: Final = (
    Network("fibre", 380, 24_000, 0.02, 500, 0.006),
    Network("cable", 700, 7_000, 0.10, 900, 0.012),
    Network("mobile", 1_500, 1_600, 0.60, 1_800, 0.035),
)


@dataclass(frozen=True)
class Taste:
    """Genre -> weight. Genres that are not named weigh OTHER_GENRES."""

    name: str
    share: float
    weights: Mapping[str, float]


OTHER_GENRES: Final = 0.4
MAX_ACTIVITY: Final = 6.0
TASTES: Final = (
    Taste("family", 0.35, {"Animation": 8, "Family": 6, "Comedy": 6, "Adventure": 2}),
    Taste("curious", 0.35, {"Documentary": 8, "Sci-Fi": 4, "History": 3, "Drama": 1}),
    Taste("night", 0.20, {"Mystery": 8, "Drama": 4, "Adventure": 3, "Sci-Fi": 2}),
    Taste("anything", 0.10, {}),
)


@dataclass(frozen=True)
class Device:
    """`height`: lines of its screen. `networks`: the names of those that it is used in, each as often as it is named."""

    name: str
    share: float
    user_agent: str
    height: int
    networks: tuple[str, ...]


DEVICES: Final = (
    Device(
        "desktop",
        0.35,
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        1080,
        ("fibre", "fibre", "cable"),
    ),
    Device(
        "tv",
        0.30,
        "Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 TV Safari/537.36",
        2160,
        ("fibre", "cable"),
    ),
    Device(
        "phone",
        0.27,
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
        1080,
        ("mobile", "mobile", "cable"),
    ),
    Device(
        "tablet",
        0.08,
        "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/604.1",
        1080,
        ("cable", "mobile"),
    ),
)
ROBOT: Final = Device(
    "robot", 0.0, "Mozilla/5.0 (compatible; FilmBot/1.2; +https://filmbot.example/)", 1080, ("fibre",)
)


@dataclass(frozen=True)
class Viewer:
    """One profile. `activity`: how often it watches, against other viewers."""

    profile_id: str
    taste: Taste
    device: Device
    network: Network
    activity: float

    def liking(self, genres: Sequence[str]) -> float:
        """How much the viewer likes a film of these genres, against other films."""
        return sum(self.taste.weights.get(genre, OTHER_GENRES) for genre in genres) or OTHER_GENRES


def draw_viewer(random: Random, profile_id: str, *, taste: str = "") -> Viewer:
    """A viewer with a profile of this id. `taste`: the name of its taste; empty draws one."""
    named = [each for each in TASTES if each.name == taste]
    device = random.choices(DEVICES, [each.share for each in DEVICES])[0]
    network = random.choice(device.networks)
    return Viewer(
        profile_id,
        named[0] if named else random.choices(TASTES, [each.share for each in TASTES])[0],
        device,
        next(each for each in NETWORKS if each.name == network),
        # A few watch every evening, most now and then.
        min(MAX_ACTIVITY, random.paretovariate(1.6)),
    )
