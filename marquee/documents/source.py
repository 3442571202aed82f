"""What the chain knows about an accepted master: its streams as they are stored, and as they are meant to be shown.

The stage `source` writes the document, from probing the file and decoding the whole film. Later stages use it: the
plan, every chunk's ffmpeg call, sound and subtitles.
"""

from fractions import Fraction
from typing import Final, Literal

import msgspec

from marquee.documents.decoded_frames import DecodedFrames
from marquee.notes import Note

HDR_TRANSFERS: Final = frozenset({"smpte2084", "arib-std-b67"})
"""PQ and HLG."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """The film from `start_seconds` to `end_seconds` of the title, in which pixels have this shape (width / height).

    Only for films whose frames do not tell it themselves: see `coded_aspects`.
    """

    start_seconds: float
    end_seconds: float
    sample_aspect_ratio: str


class Light(msgspec.Struct, frozen=True, kw_only=True):
    """From `start_seconds` of the title on, until the next `Light`, pictures have this transfer and these primaries.

    Only for films that change between HDR and SDR, PQ and HLG, or wide and usual primaries. All usual SDR is called `bt709`.
    """

    start_seconds: float
    color_transfer: str
    color_primaries: str

    @property
    def hdr(self) -> bool:
        """Whether the transfer is PQ or HLG."""
        return self.color_transfer in HDR_TRANSFERS


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """From `start_seconds` of the title on, until the next `Turn`, pictures must be turned by `rotation` degrees clockwise."""

    start_seconds: float
    rotation: int


class VideoStream(msgspec.Struct, frozen=True, kw_only=True):
    """The picture as it is stored and as it is meant to be shown.

    `width` and `height` are coded pixels. `display_width` and `display_height` are square pixels after sample aspect
    ratio and rotation; both are even and never above what the source has. `rotation` is the degrees to turn clockwise
    (0, 90, 180, 270). If `mirrored`, the picture is mirrored left to right before it is turned.
    """

    index: int
    codec: str
    width: int
    height: int
    display_width: int
    display_height: int
    rotation: int = 0
    mirrored: bool = False
    sample_aspect_ratio: str = "1/1"
    frame_rate: str = "25/1"
    variable_frame_rate: bool = False
    clock: Literal["container", "mended", "counted"] = "container"
    """Source of frame times.

    `container`: as stored. `mended`: jumps removed by ffmpeg, which reads the file from its start. `counted`: frame
    number / `frame_rate`; sound is timed by its samples.
    """
    single_picture: bool = False
    """The film has one picture, which is shown from its start to its end."""
    held_seconds: float = 0.0
    """How much longer the last picture is shown than the file stores: until the sound ends. Part of `duration_seconds`."""
    interlaced: bool = False
    top_field_first: bool = True
    pixel_format: str = "yuv420p"
    bit_depth: int = 8
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    color_range: str | None = None
    captioned: bool = False
    """The pictures carry caption bytes (CEA-608, CEA-708), perhaps only padding. Renditions are encoded without them."""
    format_changes: bool = msgspec.field(default=False, name="changes")
    """Size, shape of pixels, pixel format or colours change midway. Stored documents call this field `changes`.

    `width`, `height` and `sample_aspect_ratio` are then the title's frame, which is shown longest; all others are fitted into it.
    """
    stretches: list[Stretch] = []
    lights: list[Light] = []
    """Empty if the light never changes. Else `color_transfer` and `color_primaries` are those that are shown longest."""
    turns: list[Turn] = []
    """Empty if the rotation never changes. Else `rotation` is that of most key frames."""
    start_seconds: float = 0.0
    duration_seconds: float = 0.0
    bitrate_bps: int | None = None

    @property
    def hdr(self) -> bool:
        """Whether the transfer is PQ or HLG. Such a picture must be tone-mapped for an SDR rendition."""
        return self.color_transfer in HDR_TRANSFERS

    @property
    def full_range(self) -> bool:
        """Whether black is 0 and white the largest value, instead of 16 and 235 of 255."""
        return self.color_range == "pc" or self.pixel_format.startswith("yuvj")

    @property
    def rate(self) -> Fraction:
        """Frames per second, exact."""
        return Fraction(self.frame_rate)


AudioRole = Literal["main", "dub", "commentary", "description", "clear-dialogue", "no-dialogue"]
"""What a sound track is for. `description`: it also tells what the picture shows. `clear-dialogue`: speech stands out, for
viewers who hear badly. `no-dialogue`: music and effects, karaoke."""


class AudioStream(msgspec.Struct, frozen=True, kw_only=True):
    """One sound track of the master. `sample_rate` is in Hz."""

    index: int
    codec: str
    format: str = ""
    """The codec's name for people."""
    decodable: bool = True
    """False if the platform's ffmpeg has no decoder for the codec. Such a track forms no mix."""
    channels: int
    sample_rate: int
    channel_layout: str | None = None
    language: str = "und"
    title: str | None = None
    default: bool = False
    role: AudioRole = "main"
    role_guessed: bool = False
    """True where no flag states the role, but the title does."""
    original: bool = False
    """The container flags it as the film's original language."""
    bitrate_bps: int | None = None
    start_seconds: float = 0.0
    duration_seconds: float = 0.0


class SubtitleStream(msgspec.Struct, frozen=True, kw_only=True):
    """One subtitle track of the master.

    `text` is False for bitmaps: they cannot become WebVTT and are reported as left out. `hearing_impaired` and `commentary`
    are the container's flags, or what the title says.
    """

    index: int
    codec: str
    language: str = "und"
    title: str | None = None
    forced: bool = False
    default: bool = False
    text: bool = True
    hearing_impaired: bool = False
    commentary: bool = False


class SourceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `source` found: an accepted master, judged by probing and by decoding."""

    movie_id: str
    version: int
    upload_id: str
    key: str
    file_name: str
    size_bytes: int
    sha256: str
    container: str
    brand: str = ""
    """The major brand of an MP4 or MOV file: `isom`, `qt`."""
    duration_seconds: float
    video: VideoStream
    audio: list[AudioStream]
    subtitles: list[SubtitleStream]
    frames_decoded: int
    frames_damaged: int
    seekable: bool
    """False if the container's index cannot be trusted. Such a source is cut by decoding it from its start."""
    frames: DecodedFrames | None = None
    """What a decode that starts midway is compared with. None if `seekable` is False, and in documents of earlier releases: then
    every decode starts at the film's start."""
    notes: list[Note] = []
    same_content_as: str | None = None
    """movie_id of another title whose newest master has the same SHA-256; None without such a title."""
