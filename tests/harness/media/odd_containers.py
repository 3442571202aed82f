"""Films in every container and old codec that people upload, and films with companions: covers, chapters, fonts, data.

`tests/media/source/test_odd_films.py` takes each film through the whole chain and checks the title.
"""

from pathlib import Path

from tests.harness.media.odd import AAC, X264, ExpectedTitle, OddFilm, film, picture, sound
from tests.harness.media.packaging import ffmpeg

_HEARD = ExpectedTitle(audio=1, beeps=True)
_MPEG4 = ("-c:v", "mpeg4", "-q:v", "3", "-g", "25")
_HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none")


def _in(
    name: str, video: tuple[str, ...], audio: tuple[str, ...], *options: str, soak: bool = True, **how: int
) -> OddFilm:
    return film(name, _HEARD, *audio, *options, codec=video, sound_input=sound(**how), soak=soak)  # type: ignore[arg-type]


def _silent(
    name: str, video: tuple[str, ...], *options: str, soak: bool = True, outcome: ExpectedTitle | None = None
) -> OddFilm:
    return film(name, outcome or ExpectedTitle(), *options, codec=video, soak=soak)


CONTAINERS = [
    _in("h264.mkv", X264, AAC),
    _in("h264.ts", X264, AAC),
    _in("h264.m2ts", X264, ("-c:a", "ac3")),
    _in("h264.flv", X264, AAC, rate=44_100),
    _in("h264.avi", X264, ("-c:a", "libmp3lame")),
    _in("h264-in-fragments.mp4", X264, AAC, "-movflags", "frag_keyframe+empty_moov+default_base_moof"),
    _in("h264-faststart.mp4", X264, AAC, "-movflags", "+faststart"),
    _in("hevc.mp4", _HEVC, AAC, "-tag:v", "hvc1"),
    _in("vp8.webm", ("-c:v", "libvpx", "-deadline", "realtime"), ("-c:a", "libvorbis")),
    _in("vp9.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime"), ("-c:a", "libopus")),
    _in("av1.mkv", ("-c:v", "libsvtav1", "-preset", "12"), ("-c:a", "libopus")),
    _in("mpeg4.avi", _MPEG4, ("-c:a", "libmp3lame")),
    _in("mpeg4-with-b-frames.avi", (*_MPEG4, "-bf", "2"), ("-c:a", "libmp3lame")),
    _in("mpeg4.3gp", _MPEG4, AAC),
    film(
        "h263.3gp",
        # CIF is the largest size that the codec knows: 11:9 pixels shown as 16:9.
        ExpectedTitle(512, 288, audio=1, beeps=True),
        *("-c:a", "libopencore_amrnb", "-ar", "8000"),
        codec=("-c:v", "h263", "-s", "352x288"),
        sound_input=sound(),
        soak=True,
    ),
    _in("mpeg1.mpg", ("-c:v", "mpeg1video", "-q:v", "2"), ("-c:a", "mp2")),
    _in("mpeg2.vob", ("-c:v", "mpeg2video", "-q:v", "2"), ("-c:a", "ac3"), "-f", "vob"),
    _in("sorenson.flv", ("-c:v", "flv"), ("-c:a", "libmp3lame"), rate=44_100),
    _in("wmv2.wmv", ("-c:v", "wmv2"), ("-c:a", "wmav2")),
    _in("theora.ogv", ("-c:v", "libtheora", "-q:v", "8"), ("-c:a", "libvorbis")),
    _in("mpeg2.mxf", ("-c:v", "mpeg2video", "-q:v", "2"), ("-c:a", "pcm_s16le")),
    _in("prores.mov", ("-c:v", "prores_ks"), ("-c:a", "pcm_s24le")),
    _in("mjpeg.mov", ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"), ("-c:a", "pcm_s16le")),
    _in("mjpeg.avi", ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"), ("-c:a", "pcm_s16le"), soak=False),
    _in("ffv1.mkv", ("-c:v", "ffv1"), ("-c:a", "flac")),
    _in("huffyuv.avi", ("-c:v", "huffyuv", "-pix_fmt", "yuv422p"), ("-c:a", "pcm_s16le")),
    _in("jpeg2000.mov", ("-c:v", "jpeg2000"), ("-c:a", "pcm_s16le")),
    _in("cineform.mov", ("-c:v", "cfhd"), ("-c:a", "pcm_s16le")),
    _in("nut.nut", X264, ("-c:a", "libvorbis")),
    _in("live.webm", ("-c:v", "libvpx", "-deadline", "realtime"), ("-c:a", "libopus"), "-live", "1"),
    _silent("vp9-with-alpha.webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-deadline", "realtime")),
    _silent("raw.h264", X264, "-f", "h264", soak=False),
    _silent("raw.hevc", _HEVC, "-f", "hevc"),
    _silent("raw.m4v", _MPEG4, "-f", "m4v"),
    _silent("raw.m2v", ("-c:v", "mpeg2video", "-q:v", "2"), "-f", "mpeg2video"),
    _silent("raw.obu", ("-c:v", "libsvtav1", "-preset", "12"), "-f", "obu"),
    _silent("raw.ivf", ("-c:v", "libvpx-vp9", "-deadline", "realtime"), "-f", "ivf"),
    _silent("raw.y4m", ("-pix_fmt", "yuv420p"), "-f", "yuv4mpegpipe"),
    film(
        "dnxhd.mov",
        ExpectedTitle(1280, 720, seconds=1.0),
        codec=("-c:v", "dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p"),
        size=(1280, 720),
        seconds=1,
        soak=True,
    ),
    film(
        "dv.dv",
        ExpectedTitle(768, 576, seconds=2.0, clock=False, looks_like_master=False),
        *("-vf", "scale=720:576,setsar=16/15,setfield=bff"),
        codec=("-c:v", "dvvideo", "-pix_fmt", "yuv420p"),
        seconds=2,
        soak=True,
    ),
    film("wrong-name.jpg", ExpectedTitle(), "-f", "mp4", soak=True),
    film("no-name", ExpectedTitle(), "-f", "matroska", soak=True),
]


def _with(name: str, outcome: ExpectedTitle, files: dict[str, str], *options: str, soak: bool = True) -> OddFilm:
    """A film of the pattern with beeps, by ffmpeg `options`. `files` (name: text) and a cover are written first.

    `{folder}` in an option becomes the folder of these files.
    """

    async def make(path: Path) -> None:
        for file, text in files.items():
            (path.parent / file).write_text(text)
        cover = path.parent / "cover.png"
        await ffmpeg("-f", "lavfi", "-i", "mandelbrot=size=640x640", "-frames:v", "1", cover)
        given = [option.replace("{folder}", str(path.parent)) for option in options]
        beeps = ("-f", "lavfi", "-i", picture(), *sound())
        await ffmpeg(*beeps, *given, path)

    return OddFilm(name, make, outcome, soak)


_CHAPTERS = ";FFMETADATA1\n" + "".join(
    f"[CHAPTER]\nTIMEBASE=1/1\nSTART={start}\nEND={start + 2}\ntitle=Part\n" for start in (0, 2)
)
_SRT = "1\n00:00:00,500 --> 00:00:01,500\nHello\n\n2\n00:00:02,000 --> 00:00:03,000\n<i>World</i>\n"
_CODED = (*X264, *AAC)
BESIDE = [
    _with(
        "cover.mp4",
        _HEARD,
        {},
        *("-i", "{folder}/cover.png", "-map", "0", "-map", "1", "-map", "2"),
        *(*AAC, "-c:v:0", "libx264", "-preset", "ultrafast", "-pix_fmt:v:0", "yuv420p"),
        *("-c:v:1", "copy", "-disposition:v:1", "attached_pic"),
    ),
    _with(
        "cover-as-a-film.mkv",
        _HEARD,
        {},
        *("-i", "{folder}/cover.png", "-map", "0", "-map", "1", "-map", "2"),
        *(*AAC, "-c:v:0", "libx264", "-preset", "ultrafast", "-pix_fmt:v:0", "yuv420p", "-c:v:1", "png"),
        soak=False,
    ),
    _with(
        "chapters.mp4",
        _HEARD,
        {"chapters.txt": _CHAPTERS},
        *("-i", "{folder}/chapters.txt", "-map_metadata", "2", "-map", "0", "-map", "1", *_CODED),
    ),
    _with(
        "font-and-text.mkv",
        _HEARD._replace(texts=1),
        {"film.srt": _SRT, "font.ttf": "no font"},
        *("-i", "{folder}/film.srt", "-map", "0", "-map", "1", "-map", "2", *_CODED, "-c:s", "srt"),
        *("-attach", "{folder}/font.ttf", "-metadata:s:t", "mimetype=application/x-truetype-font"),
    ),
    _with(
        "timecode.mov",
        _HEARD,
        {},
        *("-map", "0", "-map", "1", *_CODED, "-timecode", "01:00:00:00"),
    ),
    _with(
        "text-of-two-kinds.mp4",
        _HEARD._replace(texts=2),
        {"one.srt": _SRT, "two.srt": _SRT},
        *("-i", "{folder}/one.srt", "-i", "{folder}/two.srt", "-map", "0", "-map", "1", "-map", "2", "-map", "3"),
        *(*_CODED, "-c:s", "mov_text", "-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger"),
    ),
]

FILMS = [*CONTAINERS, *BESIDE]
