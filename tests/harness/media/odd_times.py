"""Films with odd clocks: frame rates, start times, gaps, jumps, interlaced fields, and sizes that change midway.

`tests/media/source/test_odd_films.py` takes each film through the whole chain and checks the title.
"""

from tests.harness.media.odd import AAC, X264, ExpectedTitle, OddFilm, copied, film, joined, picture, remade, sound

_HOLE = ("-vf", "setpts=PTS+gt(T\\,2)*10/TB", "-fps_mode", "vfr")

RATES = [
    film("120fps.mp4", ExpectedTitle(frames_at="60/1", seconds=2.0), rate="120", seconds=2),
    film("240fps.mkv", ExpectedTitle(frames_at="60/1", seconds=1.0), rate="240", seconds=1, soak=True),
    film("1000fps.mp4", ExpectedTitle(seconds=1.0), rate="1000", seconds=1, soak=True),
    film("1fps.mp4", ExpectedTitle(frames_at="5/1", seconds=6.0), rate="1", seconds=6),
    film("half-a-frame-a-second.mkv", ExpectedTitle(seconds=8.0), rate="1/2", seconds=8, soak=True),
    film("ntsc-in-thousandths.mkv", ExpectedTitle(frames_at="30000/1001", seconds=None), rate="30000/1001", soak=True),
    film("one-frame.mp4", ExpectedTitle(seconds=0.04, clock=False), "-frames:v", "1"),
    film(
        "one-frame.mkv", ExpectedTitle(seconds=0.04, clock=False), "-frames:v", "1", codec=("-c:v", "ffv1"), soak=True
    ),
    film("two-frames.mp4", ExpectedTitle(seconds=0.08, clock=False), "-frames:v", "2", soak=True),
    film(
        "long-gop.mp4",
        ExpectedTitle(seconds=20.0),
        codec=(*X264, "-g", "9999", "-sc_threshold", "0"),
        seconds=20,
        soak=True,
    ),
]
STARTS = [
    film("starts-late.mkv", ExpectedTitle(), "-output_ts_offset", "3600", soak=True),
    film("starts-late.ts", ExpectedTitle(), "-output_ts_offset", "3600", "-muxdelay", "0", soak=True),
    # A transport stream's clock returns to 0 after 2^33 ticks of 90 kHz: here after two seconds.
    film("clock-wraps.ts", ExpectedTitle(), "-output_ts_offset", f"{2**33 / 90_000 - 2:.4f}", "-muxdelay", "0"),
    copied(
        "edited-start.mp4",
        ExpectedTitle(seconds=2.5, offset=1.5),
        film("film.mp4", ExpectedTitle()),
        inputs=("-ss", "1.5"),
        soak=True,
    ),
]
HOLES = [
    film(
        "variable.mkv",
        ExpectedTitle(),
        *("-vf", "select='not(eq(mod(n,7),3)+eq(mod(n,11),5))'", "-fps_mode", "vfr"),
    ),
    film(
        "still-at-the-end.mp4",
        ExpectedTitle(seconds=44.0),
        *("-vf", "setpts=PTS+gt(N\\,98)*40/TB", "-fps_mode", "vfr"),
        soak=True,
    ),
    film("hole-10s.mp4", ExpectedTitle(seconds=14.0, clock=False), *_HOLE),
    film("hole-10s.mkv", ExpectedTitle(seconds=14.0, clock=False), *_HOLE, soak=True),
    film("hole-10s.flv", ExpectedTitle(seconds=14.0, clock=False), *_HOLE, soak=True),
    film("hole-10s.ts", ExpectedTitle(seconds=14.0, clock=False), *_HOLE, soak=True),
]

_LONGER_HOLE = ("-vf", "setpts=PTS+gt(T\\,2)*12/TB", "-fps_mode", "vfr")
_HEARD_THROUGH = ExpectedTitle(seconds=16.0, clock=False, audio=1, beeps=True)
LONG_HOLES = [
    # Picture and sound both jump: the clock is mended, and the gap disappears.
    film(
        "hole-12s-of-both.ts",
        ExpectedTitle(audio=1, clock=False, looks_like_master=False),
        *(*_LONGER_HOLE, "-af", "asetpts=PTS+gt(T\\,2)*12/TB", *AAC),
        sound_input=sound(),
        soak=True,
    ),
    # The sound goes on: removing the gap would show every later picture twelve seconds too early.
    film(
        "hole-12s-of-the-picture.ts",
        _HEARD_THROUGH._replace(master=("-copyts",)),
        *(*_LONGER_HOLE, *AAC),
        sound_input=sound(16),
        soak=True,
    ),
    film("hole-12s-of-the-picture.flv", _HEARD_THROUGH, *_LONGER_HOLE, *AAC, sound_input=sound(16), soak=True),
]


def _twice(content: bytes) -> bytes:
    return content * 2


def _from_the_middle(content: bytes) -> bytes:
    return content[len(content) // 3 :]


_TS = film("first.ts", ExpectedTitle(), codec=(*X264, "-g", "12"))
_PS = film("first.mpg", ExpectedTitle(), codec=("-c:v", "mpeg2video", "-q:v", "2"))
JUMPS = [
    remade("twice.ts", ExpectedTitle(seconds=8.0), _TS, _twice),
    remade("twice.mpg", ExpectedTitle(seconds=8.0), _PS, _twice, soak=True),
    remade(
        "from-the-middle.ts",
        ExpectedTitle(seconds=None, clock=False, looks_like_master=False),
        _TS,
        _from_the_middle,
        soak=True,
    ),
    remade(
        "from-the-middle.mpg",
        ExpectedTitle(seconds=None, clock=False, looks_like_master=False),
        _PS,
        _from_the_middle,
        soak=True,
    ),
    remade("twice.mp4", ExpectedTitle(), film("first.mp4", ExpectedTitle()), _twice, soak=True),
    remade(
        "twice.mkv",
        ExpectedTitle(seconds=8.0, clock=False, looks_like_master=False),
        film("first.mkv", ExpectedTitle()),
        _twice,
        soak=True,
    ),
    remade("twice.flv", ExpectedTitle(), film("first.flv", ExpectedTitle()), _twice, soak=True),
    remade(
        "twice-with-sound.mkv",
        ExpectedTitle(seconds=8.0, clock=False, looks_like_master=False, audio=1, beeps=True),
        film("first.mkv", ExpectedTitle(), *AAC, sound_input=sound()),
        _twice,
    ),
    remade(
        "twice.avi",
        ExpectedTitle(seconds=8.0, clock=False, looks_like_master=False),
        film("first.avi", ExpectedTitle()),
        _twice,
        soak=True,
    ),
]


def fields(name: str, order: str, codec: tuple[str, ...], *, soak: bool = False) -> OddFilm:
    """An interlaced film of 25 frames a second, whose fields are 50 pictures a second. `order` is `tff` or `bff`."""
    mode = "interleave_top" if order == "tff" else "interleave_bottom"
    flags = ("-vf", f"tinterlace={mode},fieldorder={order},setfield={order}", "-flags", "+ildct+ilme")
    return film(name, ExpectedTitle(), *flags, rate="50", codec=codec, soak=soak)


_MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-pix_fmt", "yuv420p")
FIELDS = [
    fields("top-first.ts", "tff", _MPEG2),
    fields("bottom-first.mkv", "bff", (*X264, "-x264-params", "bff=1")),
    fields("top-first.mp4", "tff", (*X264, "-x264-params", "tff=1"), soak=True),
    fields("top-first.mov", "tff", ("-c:v", "prores_ks"), soak=True),
    fields("top-first.mxf", "tff", (*_MPEG2, "-g", "12"), soak=True),
    film(
        "telecine.ts",
        ExpectedTitle(frames_at="30000/1001"),
        *("-vf", "telecine=pattern=23,setfield=tff", "-flags", "+ildct+ilme"),
        rate="24000/1001",
        codec=_MPEG2,
        soak=True,
    ),
    # Pictures last two and three fields in turn, as in a DVD of a cinema film.
    film(
        "soft-telecine.mkv",
        ExpectedTitle(frames_at="24000/1001"),
        *("-vf", "setpts='(floor(N/2)*5+mod(N\\,2)*2)*1001/60000/TB'", "-fps_mode", "vfr"),
        rate="24000/1001",
        soak=True,
    ),
]

_LARGE = ("-f", "lavfi", "-i", picture((640, 360)))
_SMALL = ("-f", "lavfi", "-i", picture())
_SMALL_50 = ("-f", "lavfi", "-i", picture(rate="50"))
_WOVEN = ("-vf", "tinterlace=interleave_top,fieldorder=tff,setfield=tff", "-flags", "+ildct+ilme")
CHANGES = [
    joined(
        "size-changes.ts",
        ExpectedTitle(640, 360, seconds=8.0, looks_like_master=False),
        (*_LARGE, *X264),
        (*_SMALL, *X264),
        soak=True,
    ),
    joined(
        "size-changes-woven.ts",
        ExpectedTitle(seconds=8.0, looks_like_master=False),
        (*_LARGE, *_MPEG2),
        (*_SMALL_50, *_WOVEN, *_MPEG2),
        soak=True,
    ),
]

FILMS = [*CHANGES, *LONG_HOLES, *RATES, *STARTS, *HOLES, *JUMPS, *FIELDS]
