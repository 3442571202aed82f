"""Films with odd pictures: rotation and mirroring, size, pixel format, colours.

`tests/media/source/test_odd_films.py` takes each film through the whole chain and checks the title.
"""

from collections.abc import Sequence

from tests.harness.media.odd import X264, ExpectedTitle, OddFilm, copied, film

_TURNS: dict[str, tuple[str, tuple[str, ...]]] = {
    # (the filter that stores the picture turned, the display matrix that makes players show it upright).
    "turned-90": ("transpose=clock", ("-display_rotation", "90")),
    "turned-180": ("hflip,vflip", ("-display_rotation", "180")),
    "turned-270": ("transpose=cclock", ("-display_rotation", "270")),
    "mirrored": ("hflip", ("-display_hflip",)),
    "flipped": ("vflip", ("-display_vflip",)),
}


def turned(name: str, stored: str, said: Sequence[str], suffix: str, *, soak: bool = False) -> OddFilm:
    """A film stored by the filter `stored`, whose display matrix (`said`, ffmpeg input options) undoes that filter."""
    return copied(
        f"{name}.{suffix}",
        ExpectedTitle(),
        film(f"{name}-stored.mp4", ExpectedTitle(), "-vf", stored),
        inputs=said,
        soak=soak,
    )


ORIENTATIONS = [
    *(turned(name, stored, said, "mp4", soak=name.startswith("turned")) for name, (stored, said) in _TURNS.items()),
    *(turned(name, stored, said, "mkv", soak=True) for name, (stored, said) in _TURNS.items()),
]

_FFV1 = ("-c:v", "ffv1")


def _raw(pixel_format: str) -> tuple[str, ...]:
    return ("-c:v", "ffv1", "-pix_fmt", pixel_format)


def _hevc(pixel_format: str) -> tuple[str, ...]:
    return ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", pixel_format, "-x265-params", "log-level=none")


def tiny(width: int, height: int, shown: tuple[int, int], *, soak: bool = False) -> OddFilm:
    return film(
        f"tiny-{width}x{height}.mkv",
        ExpectedTitle(*shown, seconds=1.0, clock=False, looks_like_master=False),
        "-vf",
        f"scale={width}:{height},setsar=1",
        codec=_FFV1,
        seconds=1,
        soak=soak,
    )


SIZES = [
    tiny(1, 1, (2, 2)),
    tiny(2, 2, (2, 2), soak=True),
    tiny(16, 16, (16, 16)),
    tiny(17, 9, (16, 8), soak=True),
    tiny(163, 91, (162, 90), soak=True),
    film(
        "wide-4096x16.mkv",
        ExpectedTitle(1920, 8, seconds=1.0, clock=False, looks_like_master=False),
        "-vf",
        "scale=4096:16,setsar=1",
        codec=_FFV1,
        seconds=1,
    ),
    film(
        "tall-16x4096.mkv",
        ExpectedTitle(8, 1920, seconds=1.0, clock=False, looks_like_master=False),
        "-vf",
        "scale=16:4096,setsar=1",
        codec=_FFV1,
        seconds=1,
        soak=True,
    ),
    film(
        "wider-8192x8.mkv",
        ExpectedTitle(1920, 2, seconds=1.0, clock=False, looks_like_master=False),
        "-vf",
        "scale=8192:8,setsar=1",
        codec=_FFV1,
        seconds=1,
        soak=True,
    ),
    film(
        # VMAF at 8K would need more memory than a process may use. This film is compared at a quarter of its pixels.
        "8k.mkv",
        ExpectedTitle(1920, 1012, seconds=0.4, clock=False, looks_like_master=False),
        *("-vf", "setparams=colorspace=bt2020nc:color_trc=smpte2084:color_primaries=bt2020:range=tv"),
        codec=_hevc("yuv420p10le"),
        size=(8192, 4320),
        seconds=0.4,
        soak=True,
    ),
    film(
        "anamorphic-16-to-1.mkv",
        ExpectedTitle(160, 180, seconds=1.0, clock=False),
        "-vf",
        "scale=16:180,setsar=10/1",
        codec=_FFV1,
        seconds=1,
        soak=True,
    ),
    film("odd-321x181.mkv", ExpectedTitle(320, 180), "-vf", "scale=321:181,setsar=1", codec=_FFV1),
    film("444.mp4", ExpectedTitle(), codec=(*X264, "-pix_fmt", "yuv444p"), soak=True),
    film("422-10bit.mov", ExpectedTitle(), codec=("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le")),
    film("4444-12bit-alpha.mov", ExpectedTitle(), codec=("-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"), soak=True),
    film("420-10bit.mkv", ExpectedTitle(), codec=_hevc("yuv420p10le"), soak=True),
    film("420-12bit.mkv", ExpectedTitle(), codec=_hevc("yuv420p12le"), soak=True),
    film("444-16bit.mkv", ExpectedTitle(), codec=_raw("yuv444p16le"), soak=True),
    film("gray.mkv", ExpectedTitle(), codec=(*X264, "-pix_fmt", "gray")),
    film("gray16.mkv", ExpectedTitle(), codec=_raw("gray16le"), soak=True),
    film("rgb.mkv", ExpectedTitle(), codec=_raw("bgr0")),
    film("rgb-hd.mkv", ExpectedTitle(1280, 720, seconds=1.0), codec=_raw("bgr0"), size=(1280, 720), seconds=1, soak=True),
    film("rgb48.mkv", ExpectedTitle(), codec=_raw("rgb48le"), soak=True),
    film("rgb24.avi", ExpectedTitle(), codec=("-c:v", "rawvideo", "-pix_fmt", "bgr24"), soak=True),
    film("palette.avi", ExpectedTitle(), codec=("-c:v", "msrle", "-pix_fmt", "pal8"), soak=True),
    film("alpha.mov", ExpectedTitle(), codec=("-c:v", "qtrle", "-pix_fmt", "argb"), soak=True),
    film("png.mov", ExpectedTitle(), codec=("-c:v", "png", "-pix_fmt", "rgb24"), soak=True),
]  # fmt: skip


def _coloured(matrix: str, transfer: str, primaries: str, spread: str, *, soak: bool = True) -> OddFilm:
    said = f"setparams=colorspace={matrix}:color_trc={transfer}:color_primaries={primaries}:range={spread}"
    return film(
        f"colour-{matrix}-{transfer}-{primaries}-{spread}.mkv",
        ExpectedTitle(
            seconds=1.0,
            clock=False,
            looks_like_master=matrix in {"bt709", "smpte170m", "bt470bg"} and transfer != "smpte2084",
        ),
        "-vf",
        f"scale=out_range={'full' if spread == 'full' else 'limited'},format=yuv420p10le,{said}",
        codec=("-c:v", "libx265", "-x265-params", "log-level=none"),
        seconds=1,
        soak=soak,
    )


COLOURS = [
    _coloured("bt2020nc", "smpte2084", "bt2020", "limited", soak=False),
    _coloured("bt2020nc", "arib-std-b67", "bt2020", "limited"),
    _coloured("bt2020nc", "smpte2084", "bt2020", "full"),
    _coloured("bt2020nc", "bt2020-10", "bt2020", "limited"),
    _coloured("bt2020nc", "bt2020-12", "bt2020", "limited"),
    _coloured("bt2020c", "bt2020-10", "bt2020", "limited"),
    _coloured("bt709", "smpte2084", "bt709", "limited"),
    _coloured("bt709", "bt709", "bt709", "full", soak=False),
    _coloured("bt709", "linear", "bt709", "limited"),
    _coloured("bt709", "iec61966-2-1", "bt709", "limited"),
    _coloured("smpte170m", "smpte170m", "smpte170m", "limited"),
    _coloured("bt470bg", "bt470bg", "bt470bg", "limited"),
    _coloured("smpte240m", "smpte240m", "smpte240m", "limited"),
    _coloured("fcc", "bt470m", "bt470m", "limited"),
    _coloured("ycgco", "bt709", "bt709", "limited"),
    _coloured("ictcp", "smpte2084", "bt2020", "limited"),
    _coloured("ictcp", "arib-std-b67", "bt2020", "limited"),
    _coloured("chroma-derived-nc", "bt709", "smpte432", "limited"),
    _coloured("chroma-derived-c", "bt709", "smpte431", "limited"),
    _coloured("bt2020nc", "log100", "film", "limited"),
    _coloured("bt2020nc", "log316", "film", "limited"),
    _coloured("bt2020nc", "iec61966-2-4", "smpte428", "limited"),
    _coloured("bt2020nc", "bt1361e", "bt2020", "limited"),
    _coloured("bt2020nc", "smpte428", "smpte428", "limited"),
    _coloured("unknown", "smpte2084", "unknown", "limited"),
    _coloured("unknown", "unknown", "bt2020", "limited"),
]

FILMS = [*ORIENTATIONS, *SIZES, *COLOURS]
