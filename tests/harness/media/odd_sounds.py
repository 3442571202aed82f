"""Films with odd sound: codecs, rates, layouts, sound that starts late or changes midway, and several streams.

`tests/media/source/test_odd_films.py` takes each film through the whole chain and checks the title.
"""

from collections.abc import Sequence
from pathlib import Path

from tests.harness.media.odd import AAC, SECONDS, X264, ExpectedTitle, OddFilm, film, joined, picture, sound
from tests.harness.media.packaging import ffmpeg

_HEARD = ExpectedTitle(audio=1, beeps=True)


def _coded(
    name: str, *codec: str, rate: int = 48_000, channels: int = 1, layout: str = "", soak: bool = True
) -> OddFilm:
    return film(name, _HEARD, *codec, sound_input=sound(rate=rate, channels=channels, layout=layout), soak=soak)


CODECS = [
    _coded("aac.mp4", *AAC, soak=False),
    _coded("8khz.mp4", *AAC, rate=8000),
    _coded("192khz.mkv", "-c:a", "pcm_s24le", rate=192_000),
    _coded("flac.mkv", "-c:a", "flac"),
    _coded("opus.mkv", "-c:a", "libopus"),
    _coded("vorbis.mkv", "-c:a", "libvorbis"),
    _coded("mp3.mkv", "-c:a", "libmp3lame"),
    _coded("ac3.mp4", "-c:a", "ac3"),
    _coded("eac3.mp4", "-c:a", "eac3"),
    _coded("dts.mkv", "-c:a", "dca", "-strict", "-2", channels=2),
    _coded("truehd.mkv", "-c:a", "truehd", "-strict", "-2", channels=2),
    _coded("alac.mov", "-c:a", "alac"),
    _coded("pcm-f32.mov", "-c:a", "pcm_f32le"),
    _coded("pcm-u8.avi", "-c:a", "pcm_u8"),
    _coded("adpcm.mkv", "-c:a", "adpcm_ima_wav"),
    _coded("mp2.ts", "-c:a", "mp2"),
    _coded("7.1.mkv", "-c:a", "flac", channels=8, layout="7.1"),
    _coded("5.1-side.mkv", "-c:a", "ac3", channels=6, layout="5.1(side)"),
    _coded("quad.mkv", "-c:a", "flac", channels=4, layout="quad"),
    _coded("16-channels.mov", "-c:a", "pcm_s16le", channels=16),
    _coded("3-channels-unnamed.mov", "-c:a", "pcm_s16le", channels=3),
]


def _placed(name: str, after: float, lasts: float, *options: str, soak: bool = True) -> OddFilm:
    """Sound that starts `after` seconds after the picture (negative: before it) and lasts `lasts` seconds, with beeps in step."""
    return film(name, _HEARD, *options, *AAC, sound_input=sound(lasts, after=after), soak=soak)


PLACES = [
    _placed("sound-late.mp4", 1.5, SECONDS - 1.5, soak=False),
    _placed("sound-early.mkv", -1.5, SECONDS + 1.5, "-copyts", "-avoid_negative_ts", "make_zero"),
    _placed("sound-early.ts", -1.0, SECONDS + 1, "-muxdelay", "2"),
    _placed("sound-short.mp4", 0.0, 1.5),
    _placed("sound-long.mp4", 0.0, SECONDS + 6.0),
    _placed("sound-long.mkv", 0.0, SECONDS + 6.0),
    _placed("sound-long.ts", 0.0, SECONDS + 6.0),
    _placed("sound-long.flv", 0.0, SECONDS + 6.0),
]


_SEEN = ("-f", "lavfi", "-i", picture())
_MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-pix_fmt", "yuv420p")
_LONGER = ExpectedTitle(seconds=8.0, audio=1, beeps=True)
CHANGES = [
    # Broadcasts change like this at every advertisement.
    joined(
        "layout-changes.ts",
        _LONGER,
        (*_SEEN, *sound(channels=2), *X264, "-c:a", "ac3"),
        (*_SEEN, *sound(channels=6, layout="5.1"), *X264, "-c:a", "ac3"),
    ),
    joined(
        "rate-changes.ts",
        _LONGER,
        (*_SEEN, *sound(channels=2), *X264, "-c:a", "mp2"),
        (*_SEEN, *sound(channels=2, rate=32_000), *X264, "-c:a", "mp2"),
        soak=True,
    ),
    # These containers have no list of streams: a reader finds the sound only at its first packet.
    film(
        "sound-very-late.mpg",
        ExpectedTitle(seconds=20.0, audio=1, beeps=True),
        *("-c:a", "mp2"),
        codec=_MPEG2,
        seconds=20,
        sound_input=sound(4, after=14.0),
        soak=True,
    ),
    film(
        "sound-very-late.flv",
        ExpectedTitle(seconds=14.0, audio=1, beeps=True),
        *AAC,
        seconds=14,
        sound_input=sound(4, after=9.0),
        soak=True,
    ),
    film(
        "sound-very-late.ts",
        ExpectedTitle(seconds=20.0, audio=1, beeps=True),
        *AAC,
        seconds=20,
        sound_input=sound(4, after=14.0),
        soak=True,
    ),
]


def _several(
    name: str,
    outcome: ExpectedTitle,
    *options: str,
    inputs: Sequence[Sequence[str]] = (),
    streams: int = 1,
    soak: bool = True,
) -> OddFilm:
    """A film of the pattern and the first streams of `inputs`: `streams` streams altogether."""

    async def make(path: Path) -> None:
        given = [option for one in inputs for option in one]
        maps = [option for number in range(len(inputs) + 1) for option in ("-map", str(number))]
        await ffmpeg("-f", "lavfi", "-i", picture(), *given, *maps[: 2 * streams], *X264, *options, path)

    return OddFilm(name, make, outcome, soak)


_LANGUAGES = [f"-metadata:s:a:{number}" for number in range(3)]
_SMALLER = ("-f", "lavfi", "-i", picture((160, 90)))
COMPANY = [
    _several(
        "three-languages.mkv",
        ExpectedTitle(audio=3, beeps=True),
        *(*AAC, _LANGUAGES[0], "language=eng", _LANGUAGES[1], "language=fre", _LANGUAGES[2], "language=jpn"),
        inputs=[sound(channels=2), sound(channels=2), sound(channels=2)],
        streams=4,
        soak=False,
    ),
    _several("two-pictures.mkv", ExpectedTitle(), inputs=[_SMALLER], streams=2),
]

FILMS = [*CHANGES, *CODECS, *PLACES, *COMPANY]
