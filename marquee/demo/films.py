"""The demo's films as typed data: the fixtures of the project, and one longer reel that `reel` makes.

`cli.demo` ingests FILMS and LONG_FILM; the checks upload BROKEN_FILM, which must be refused.
"""

from dataclasses import dataclass
from pathlib import Path

from marquee.errors import PlatformUnavailable
from marquee.platform.project import FIXTURES


@dataclass(frozen=True)
class DemoFilm:
    """A film's file and the details that its upload gives. `sidecar`: file name of its subtitles."""

    file_name: str
    title: str
    year: int
    genres: tuple[str, ...]
    description: str
    hot: bool = False
    sidecar: str | None = None

    @property
    def path(self) -> Path:
        return FIXTURES / self.file_name


FILMS: tuple[DemoFilm, ...] = (
    DemoFilm("test_vp6.flv", "Flash", 2006, ("History",), "A test card in VP6."),
    DemoFilm("test_wmv.wmv", "Windows, Media", 2003, ("History",), "A test card in WMV3."),
    DemoFilm("test_sar.mp4", "Wide Pixels", 2001, ("Mystery",), "A test card whose pixels are not square."),
    DemoFilm("test_hevc10.mkv", "Ten Bits", 2016, ("Science Fiction",), "A test card in 10-bit HEVC."),
    DemoFilm("test_720p_ps.mpg", "Colour Bars", 1998, ("Mystery",), "A test card in MPEG-2."),
    DemoFilm(
        "deer_1080p_1s.mp4",
        "One Second of Deer",
        2015,
        ("Documentary", "Family"),
        "What it says.",
    ),
    DemoFilm(
        "screen_1080p.mp4",
        "The Interface",
        2023,
        ("Documentary",),
        "Somebody tries out a program, and the screen remembers.",
    ),
    DemoFilm(
        "earth_480x270.avi",
        "Earth from Orbit",
        2014,
        ("Documentary", "Science Fiction"),
        "The planet turns below a camera in orbit.",
        hot=True,
    ),
    DemoFilm(
        "bikes_640x272_silent.mp4",
        "City of Bicycles",
        2012,
        ("Documentary", "Drama"),
        "Riders cross a busy street. A silent film.",
    ),
    DemoFilm(
        "bbb_720p_5.1aac.mp4",
        "Big Buck Bunny",
        2008,
        ("Animation", "Comedy", "Family"),
        "A large rabbit, three bullying rodents, and a careful revenge. Film by the Blender Foundation, CC BY 3.0.",
        hot=True,
        sidecar="captions_b.vtt",
    ),
)
"""In the order of ingest. The test cards come first, so that the films are the newest titles."""

LONG_FILM = DemoFilm(
    "long_reel.mp4",
    "The Marquee Reel",
    2026,
    ("Documentary", "Drama", "Adventure"),
    "Bicycles, deer, a rabbit and the Earth, again and again, under a running clock.",
    hot=True,
)
"""`reel` makes its file in the state folder. It is long enough for many chunks, shots and upload parts."""

BROKEN_FILM = FIXTURES / "broken_header_only.mp4"
"""A file that must be refused with a reason."""


def require_fixtures() -> None:
    """Raise `PlatformUnavailable` if films are missing. The container image has none."""
    missing = [film.file_name for film in FILMS if not film.path.is_file()]
    if missing:
        raise PlatformUnavailable(
            f"The demo's film {missing[0]} is missing in {FIXTURES}: run the demo from a checkout or an installed wheel."
        )
