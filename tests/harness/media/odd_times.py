"""Odd clocks: rates, starts, holes, jumps and fields."""

from tests.harness.media.odd import AAC, X264, Odd, Shown, copied, film, joined, picture, remade, sound

_HOLE = ("-vf", "setpts=PTS+gt(T\\,2)*10/TB", "-fps_mode", "vfr")

RATES = [
    film("120fps.mp4", Shown(frames_at="60/1", seconds=2.0), rate="120", seconds=2),
    film("240fps.mkv", Shown(frames_at="60/1", seconds=1.0), rate="240", seconds=1, soak=True),
    film("1000fps.mp4", Shown(seconds=1.0), rate="1000", seconds=1, soak=True),
    film("1fps.mp4", Shown(frames_at="5/1", seconds=6.0), rate="1", seconds=6),
    film("half-a-frame-a-second.mkv", Shown(seconds=8.0), rate="1/2", seconds=8, soak=True),
    film("ntsc-in-thousandths.mkv", Shown(frames_at="30000/1001", seconds=None), rate="30000/1001", soak=True),
    film("one-frame.mp4", Shown(seconds=0.04, clock=False), "-frames:v", "1"),
    film("one-frame.mkv", Shown(seconds=0.04, clock=False), "-frames:v", "1", codec=("-c:v", "ffv1"), soak=True),
    film("two-frames.mp4", Shown(seconds=0.08, clock=False), "-frames:v", "2", soak=True),
    film("long-gop.mp4", Shown(seconds=20.0), codec=(*X264, "-g", "9999", "-sc_threshold", "0"), seconds=20, soak=True),
]
STARTS = [
    film("starts-late.mkv", Shown(), "-output_ts_offset", "3600", soak=True),
    film("starts-late.ts", Shown(), "-output_ts_offset", "3600", "-muxdelay", "0", soak=True),
    # 2^33 ticks of 90 kHz after it began to count, a transport stream's clock is at 0 again: two seconds from here.
    film("clock-wraps.ts", Shown(), "-output_ts_offset", f"{2**33 / 90_000 - 2:.4f}", "-muxdelay", "0"),
    copied(
        "edited-start.mp4", Shown(seconds=2.5, offset=1.5), film("film.mp4", Shown()), inputs=("-ss", "1.5"), soak=True
    ),
]
HOLES = [
    film(
        "variable.mkv",
        Shown(),
        *("-vf", "select='not(eq(mod(n,7),3)+eq(mod(n,11),5))'", "-fps_mode", "vfr"),
    ),
    film(
        "still-at-the-end.mp4",
        Shown(seconds=44.0),
        *("-vf", "setpts=PTS+gt(N\\,98)*40/TB", "-fps_mode", "vfr"),
        soak=True,
    ),
    film("hole-10s.mp4", Shown(seconds=14.0, clock=False), *_HOLE),
    film("hole-10s.mkv", Shown(seconds=14.0, clock=False), *_HOLE, soak=True),
    film("hole-10s.flv", Shown(seconds=14.0, clock=False), *_HOLE, soak=True),
    film("hole-10s.ts", Shown(seconds=14.0, clock=False), *_HOLE, soak=True),
]

_LONGER_HOLE = ("-vf", "setpts=PTS+gt(T\\,2)*12/TB", "-fps_mode", "vfr")
_HEARD_THROUGH = Shown(seconds=16.0, clock=False, audio=1, beeps=True)
LONG_HOLES = [
    # Picture and sound both jump: nothing was there, and the clock is mended.
    film(
        "hole-12s-of-both.ts",
        Shown(audio=1, clock=False, alike=False),
        *(*_LONGER_HOLE, "-af", "asetpts=PTS+gt(T\\,2)*12/TB", *AAC),
        heard=sound(),
        soak=True,
    ),
    # The sound goes on: mending the picture's clock would put every later picture twelve seconds too early.
    film(
        "hole-12s-of-the-picture.ts",
        _HEARD_THROUGH._replace(master=("-copyts",)),
        *(*_LONGER_HOLE, *AAC),
        heard=sound(16),
        soak=True,
    ),
    film("hole-12s-of-the-picture.flv", _HEARD_THROUGH, *_LONGER_HOLE, *AAC, heard=sound(16), soak=True),
]


def _twice(content: bytes) -> bytes:
    return content * 2


def _from_the_middle(content: bytes) -> bytes:
    return content[len(content) // 3 :]


_TS = film("first.ts", Shown(), codec=(*X264, "-g", "12"))
_PS = film("first.mpg", Shown(), codec=("-c:v", "mpeg2video", "-q:v", "2"))
JUMPS = [
    remade("twice.ts", Shown(seconds=8.0), _TS, _twice),
    remade("twice.mpg", Shown(seconds=8.0), _PS, _twice, soak=True),
    remade("from-the-middle.ts", Shown(seconds=None, clock=False, alike=False), _TS, _from_the_middle, soak=True),
    remade("from-the-middle.mpg", Shown(seconds=None, clock=False, alike=False), _PS, _from_the_middle, soak=True),
    remade("twice.mp4", Shown(), film("first.mp4", Shown()), _twice, soak=True),
    remade("twice.mkv", Shown(seconds=8.0, clock=False, alike=False), film("first.mkv", Shown()), _twice, soak=True),
    remade("twice.flv", Shown(), film("first.flv", Shown()), _twice, soak=True),
    remade(
        "twice-with-sound.mkv",
        Shown(seconds=8.0, clock=False, alike=False, audio=1, beeps=True),
        film("first.mkv", Shown(), *AAC, heard=sound()),
        _twice,
    ),
    remade("twice.avi", Shown(seconds=8.0, clock=False, alike=False), film("first.avi", Shown()), _twice, soak=True),
]


def fields(name: str, order: str, codec: tuple[str, ...], *, soak: bool = False) -> Odd:
    """25 frames a second, woven of 50 pictures a second."""
    mode = "interleave_top" if order == "tff" else "interleave_bottom"
    flags = ("-vf", f"tinterlace={mode},fieldorder={order},setfield={order}", "-flags", "+ildct+ilme")
    return film(name, Shown(), *flags, rate="50", codec=codec, soak=soak)


_MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-pix_fmt", "yuv420p")
FIELDS = [
    fields("top-first.ts", "tff", _MPEG2),
    fields("bottom-first.mkv", "bff", (*X264, "-x264-params", "bff=1")),
    fields("top-first.mp4", "tff", (*X264, "-x264-params", "tff=1"), soak=True),
    fields("top-first.mov", "tff", ("-c:v", "prores_ks"), soak=True),
    fields("top-first.mxf", "tff", (*_MPEG2, "-g", "12"), soak=True),
    film(
        "telecine.ts",
        Shown(frames_at="30000/1001"),
        *("-vf", "telecine=pattern=23,setfield=tff", "-flags", "+ildct+ilme"),
        rate="24000/1001",
        codec=_MPEG2,
        soak=True,
    ),
    # Pictures shown for two and three fields in turn, as a DVD marks a cinema film.
    film(
        "soft-telecine.mkv",
        Shown(frames_at="24000/1001"),
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
    joined("size-changes.ts", Shown(640, 360, seconds=8.0, alike=False), (*_LARGE, *X264), (*_SMALL, *X264), soak=True),
    joined(
        "size-changes-woven.ts",
        Shown(seconds=8.0, alike=False),
        (*_LARGE, *_MPEG2),
        (*_SMALL_50, *_WOVEN, *_MPEG2),
        soak=True,
    ),
]

FILMS = [*CHANGES, *LONG_HOLES, *RATES, *STARTS, *HOLES, *JUMPS, *FIELDS]
