"""The expected outcome of each real test film: tables that the judge's tests and the sweep through the platform share.

An outcome is an `Accepted` (what the title must be) or a regular expression for the reason of the refusal.
"""

from typing import NamedTuple


class Accepted(NamedTuple):
    """Display size in pixels, length in seconds, and frame rate of the judged source."""

    width: int
    height: int
    seconds: float
    rate: str


BROKEN: dict[str, str | Accepted] = {
    "b_bitrot_mdat.mp4": r"too damaged: 5\d of 192 frames",
    "b_faststart_half_mdat.mp4": r"cut off: it should last 8\.0 seconds, and only 3\.0 \(38 %\)",
    "b_header_64_random.mp4": "not a film in any format that this platform knows, or its beginning is damaged",
    "b_moov_missing_truncated.mp4": r"index \(moov\) is missing",
    "b_mvhd_duration_huge.mp4": Accepted(640, 360, 8.0, "24/1"),
    "b_playlist_ssrf_renamed.mp4": "a playlist that points to other files, not a film",
    "b_png_renamed.mp4": r"a picture \(PNG\), not a film",
    "b_random_bytes.mkv": "not a film in any format",
    "b_stsz_count_huge.mp4": r"index \(moov\) is damaged",
    "b_text_renamed.mp4": "text, not a film",
    "b_tkhd_60000px.mp4": Accepted(640, 360, 8.0, "24/1"),
    "b_truncated.mkv": r"cut off: it should last 15\.0 seconds, and only 2\.6",
    # A transport stream does not say how long it should be. All of it decodes except its last frame.
    "b_truncated_mid_packet.ts": Accepted(1024, 576, 1.48, "25/1"),
    "b_zero_byte.mp4": "empty",
    "bad_video_sample.mp4": Accepted(50, 50, 1.0, "15/1"),
    "moov_missing_streamio.mp4": r"index \(moov\) is missing",
    "ogg_named_mkv.mkv": Accepted(480, 270, 5.0, "30/1"),
}
"""The expected outcome of every file in the shared folder of broken films."""

NOISE = {"bad_video_sample.mp4"}
"""Films of random pixels: no bit rate of the ladder can preserve them."""

ONLY_SOUND = {
    "d_audio_only.m4a",
    "rails_video_without_video_stream.mp4",
    "svt_audio_only_stereo_51.mp4",
    "two_aac51_tracks.mp4",
}

REAL: dict[str, Accepted] = {
    "bbb_720p_5.1aac.mp4": Accepted(1280, 720, 5.28, "25/1"),
    "bikes_640x272_silent.mp4": Accepted(640, 272, 10.0, "25/1"),
    "deer_1080p_1s.mp4": Accepted(1920, 1080, 0.959, "24000/1001"),
    "earth_480x270.avi": Accepted(480, 270, 5.033, "30/1"),
    "screen_1080p.mp4": Accepted(1920, 1080, 6.967, "30/1"),
    "test_720p_ps.mpg": Accepted(1280, 720, 1.001, "30000/1001"),
    "test_hevc10.mkv": Accepted(654, 480, 0.967, "30000/1001"),
    "test_sar.mp4": Accepted(654, 480, 0.968, "30000/1001"),
    "test_vp6.flv": Accepted(320, 240, 1.0, "30/1"),
    "test_wmv.wmv": Accepted(360, 264, 1.0, "15/1"),
    "amr.3gp": Accepted(176, 144, 4.933, "15/1"),
    "bbb_rot90_5.1.mp4": Accepted(1080, 1920, 1.875, "24/1"),
    "cover_art.mp4": Accepted(640, 360, 2.0, "30/1"),
    "hdr10_av1_vertical.mp4": Accepted(720, 1280, 4.238, "30000/1001"),
    "hdr10_hevc_1080p.mp4": Accepted(1920, 1080, 1.017, "30/1"),
    "hlg_rot90_editlist.mp4": Accepted(1080, 1920, 2.568, "30000/1001"),
    "odd_161x121_vp9.webm": Accepted(160, 120, 1.001, "30000/1001"),
    "phone_portrait.mov": Accepted(320, 568, 2.068, "30000/1001"),
    "portrait.ts": Accepted(720, 1280, 1.0, "30/1"),
    "portrait_4k60.mp4": Accepted(2160, 3840, 0.3, "60/1"),
    "rails_rotated_video.mp4": Accepted(480, 640, 5.002, "8797/1000"),
    "rails_video_with_rectangular_samples.mp4": Accepted(1920, 1080, 5.229, "8797/1000"),
    "sar_2x1.mp4": Accepted(1280, 360, 5.0, "30/1"),
    "subs_pgs.mkv": Accepted(1080, 720, 0.049, "600/1"),
    "vfr_screen_3026x1386.mp4": Accepted(3026, 1386, 8.726, "30/1"),
    "vfr_vertical_374x666.mp4": Accepted(374, 666, 1.753, "24/1"),
    "webcam.flv": Accepted(640, 360, 18.966, "30/1"),
    "d_interlaced_576i_tff.ts": Accepted(1024, 576, 12.0, "25/1"),
    "d_odd_427x241_h264_444.mp4": Accepted(428, 240, 4.0, "24/1"),
    "d_short_audio.mp4": Accepted(426, 240, 10.0, "24/1"),
    "d_vertical_hdr10_hevc.mp4": Accepted(1076, 1920, 4.0, "24/1"),
    "d_vfr_24_8.mp4": Accepted(1280, 720, 12.0, "24/1"),
}

BROKEN_FIXTURES: dict[str, str] = {
    "broken_header_only.mp4": "cut off after its header",
    "broken_sample.mkv": r"header \(Matroska\) is damaged",
}

TEXTS = {".srt", ".vtt"}
"""Suffixes of the captions in the folders of films. Uploaded as a film, each is refused as a file of subtitles."""


def outcome(folder: str, name: str) -> Accepted | str | None:
    """The outcome of a file in `shared/data/video`: see above. None: it is accepted, and its values are in no table."""
    if "." + name.rpartition(".")[2] in TEXTS:
        return "a file of subtitles"
    if folder == "broken":
        return BROKEN[name]
    if name in ONLY_SOUND:
        return "only sound"
    return BROKEN_FIXTURES.get(name) or REAL.get(name)
