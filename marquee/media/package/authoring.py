"""The computable rules of Apple's "HLS authoring specification for Apple devices" (edition of August 2023), as a table. Pure.

A rule has Apple's number and a check. A broken MUST fails the chain's check `segments_add_up`; a broken SHOULD is shown beside it
as a recommendation. `NOT_CHECKED` has every other rule of the specification's sections 1 to 9, with the reason. Sections 10 to 16
are about delivery, encryption, live and stereo video. `verify` calls `authoring_findings`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from marquee.media.package import authoring_checks as checks
from marquee.media.package import authoring_rates as rates
from marquee.media.package import authoring_tracks as tracks
from marquee.media.package.authoring_checks import Told, iframes, missing, of_media, variants


class Rule(NamedTuple):
    """One of Apple's rules. `of_streams`: it judges what the stage `streams` stored, not the master playlist."""

    number: str
    severity: Literal["MUST", "SHOULD"]
    check: Callable[[Told], list[str]]
    of_streams: bool = False


RULES: Final[Sequence[Rule]] = (
    Rule(
        "1.1",
        "MUST",
        lambda told: variants(told, lambda one: None if checks.video_codec(one) else "has no codec of Apple's list"),
    ),
    Rule("1.3b", "MUST", lambda told: variants(told, checks.h264_limit)),
    Rule("1.6", "MUST", lambda told: variants(told, checks.hevc_limit)),
    Rule("1.10", "SHOULD", lambda told: variants(told, checks.stored_parameters)),
    Rule("1.12", "SHOULD", checks.some_h264),
    Rule("1.13", "SHOULD", checks.idr_distance, of_streams=True),
    Rule("1.18", "SHOULD", lambda told: variants(told, checks.natural_rate)),
    Rule("1.19", "MUST", lambda told: variants(told, checks.rate_limit)),
    Rule("1.24", "MUST", checks.some_sdr),
    Rule("1.26", "MUST", rates.average),
    Rule("1.27", "MUST", rates.peak, of_streams=True),
    Rule("1.30", "SHOULD", lambda told: variants(told, rates.peak_ratio)),
    Rule("1.32", "SHOULD", rates.first_variant),
    Rule("1.33", "SHOULD", checks.aspect_ratios),
    Rule("2.2", "MUST", tracks.sound_codecs),
    Rule("2.3", "MUST", tracks.stereo),
    Rule("2.9", "SHOULD", tracks.channel_rates),
    Rule("2.12", "MUST", tracks.descriptions),
    Rule("2.13", "MUST", tracks.selectable_descriptions),
    Rule("4.5", "MUST", tracks.marked_sdh),
    Rule("4.6", "MUST", tracks.selectable_sdh),
    Rule("5.3", "MUST", tracks.webvtt),
    Rule("5.5", "MUST", tracks.whole_text),
    Rule("5.11", "SHOULD", tracks.selectable_forced),
    Rule("6.1", "MUST", checks.no_iframes),
    Rule("6.3", "MUST", checks.every_idr, of_streams=True),
    Rule("6.8", "MUST", checks.iframes_only, of_streams=True),
    Rule("6.9", "MUST", rates.iframe_peak, of_streams=True),
    Rule("7.5", "SHOULD", checks.exact_target, of_streams=True),
    Rule("7.6", "SHOULD", checks.segment_lengths, of_streams=True),
    Rule("7.7", "MUST", checks.above_target, of_streams=True),
    Rule("8.1", "MUST", checks.exact_durations, of_streams=True),
    Rule("8.2", "MUST", checks.one_target, of_streams=True),
    Rule("8.3", "MUST", checks.same_length, of_streams=True),
    Rule("8.6", "MUST", checks.vod, of_streams=True),
    Rule("8.10", "MUST", lambda told: of_media(told, "", lambda one: missing(one.language, "LANGUAGE"))),
    Rule("8.20", "MUST", checks.init_segments, of_streams=True),
    Rule("8.22", "SHOULD", checks.same_boundaries, of_streams=True),
    Rule("9.1", "MUST", lambda told: variants(told, lambda one: missing(one.stream_info.codecs, "CODECS"))),
    Rule("9.2", "MUST", lambda told: variants(told, lambda one: missing(one.stream_info.resolution, "RESOLUTION"))),
    Rule("9.3", "MUST", lambda told: iframes(told, lambda one: missing(one.iframe_stream_info.codecs, "CODECS"))),
    Rule(
        "9.4", "MUST", lambda told: iframes(told, lambda one: missing(one.iframe_stream_info.resolution, "RESOLUTION"))
    ),
    Rule("9.7", "MUST", tracks.separate_sound),
    Rule("9.11", "SHOULD", checks.independent_segments),
    Rule(
        "9.14",
        "MUST",
        lambda told: variants(told, lambda one: missing(one.stream_info.average_bandwidth, "AVERAGE-BANDWIDTH")),
    ),
    Rule("9.15", "MUST", lambda told: variants(told, lambda one: missing(one.stream_info.frame_rate, "FRAME-RATE"))),
    Rule("9.16", "MUST", checks.video_range),
)

_LIVE: Final = "for live streams only"
_OTHER_CODEC: Final = "for codecs and formats that we do not make"
_BY_ENCODER: Final = "held by the encoder's command and its tests; not visible in playlists"
_PERMISSION: Final = "a permission, not a duty"
_NOT_MEANT: Final = "not meant for us: "
NOT_CHECKED: Final[Mapping[str, str]] = {
    "1.2": "the packager writes fragmented MP4 only",
    "1.5": "the packager writes fragmented MP4 only",
    "1.3a": "1.3b is checked; the ladder ends at 1080 lines, whose level is 4.2 at most",
    "1.4": "an H.264 rendition is always High: " + _BY_ENCODER,
    **dict.fromkeys(
        ("1.6a", "1.6b", "1.7", "1.8", "1.9", "1.20", "1.23", "1.34", "1.35", "1.36", "1.37"),
        _OTHER_CODEC,
    ),
    "1.11": "`domain.levels.level_of` takes the lowest level of the codec's table (tests/domain)",
    "1.14": _BY_ENCODER,
    "1.15": _BY_ENCODER,
    "1.16": _LIVE,
    "1.17": _LIVE,
    "1.21": "the MPD's colours are of all renditions (`dash`)",
    "1.22": _BY_ENCODER,
    "1.25": "the ladder's own table (`marquee.domain.ladder`)",
    "1.28": _LIVE,
    "1.29": _LIVE,
    "1.31": _PERMISSION,
    "2.1": "sound is in fragmented MP4 always",
    **dict.fromkeys(("2.4", "2.6", "2.22", "2.24", "2.25", "2.26"), _OTHER_CODEC),
    "2.5": "checked with 2.2",
    "2.7": _PERMISSION,
    "2.8": _PERMISSION,
    "2.10": _PERMISSION,
    "2.11": "a rendition has one layout throughout: " + _BY_ENCODER,
    "2.14": "the label names the role (`marquee.media.sound.roles`, tests/media/sound)",
    "2.15": "checked with 8.3",
    "2.16": _PERMISSION,
    "2.17": "one sound track a segment: " + _BY_ENCODER,
    **dict.fromkeys(("2.18", "2.19", "2.20", "2.21", "2.23"), "loudness is not measured by the chain today"),
    "2.27": "checked with 8.10",
    "2.28": _PERMISSION,
    **dict.fromkeys(("3.1", "3.2", "3.3", "3.4"), "no advertisements are inserted"),
    "4.1": "a film has the captions that its owner gives",
    "4.2": "checked with 5.3",
    "4.3": "captions become text tracks and leave the video (docs/adr/0027)",
    "4.4": "every variant says CLOSED-CAPTIONS=NONE",
    "4.7": "checked with 8.10",
    "4.8": "refers to 2.12 and following",
    "5.1": _PERMISSION,
    "5.2": "checked with 5.3",
    "5.4": _OTHER_CODEC,
    "5.6": _LIVE,
    "5.7": _PERMISSION,
    "5.8": "a film has the tracks that its owner gives",
    "5.9": "a film has the tracks that its owner gives",
    "5.10": _NOT_MEANT
    + "hls.js and Shaka Player choose by CODECS what they can play, and may refuse a variant for its text",
    "6.2": _NOT_MEANT + "I-frames come from the content (6.3); dense renditions would cost encoding and storage",
    **dict.fromkeys(("6.4", "6.5", "6.7"), _NOT_MEANT + "for dense I-frame renditions (6.2)"),
    "6.6": "checked with 6.1: every rendition has one",
    "6.10": "`package_reader.read_key_frames` refuses a byte range without its moof box, when a title is packaged",
    "6.11": _LIVE,
    **dict.fromkeys(("6.12", "6.13", "6.17"), _PERMISSION),
    "6.14": "every title has H.264, and 6.1 is checked",
    "6.15": _OTHER_CODEC,
    "6.16": "checked with 1.24",
    "7.1": "`package_reader` refuses a gap between segments, when a title is packaged",
    "7.2": _OTHER_CODEC,
    "7.3": "checked with 7.1",
    "7.4": "checked with 6.3: each segment has an IDR in the I-frame playlist",
    "7.8": _OTHER_CODEC,
    **dict.fromkeys(("8.4", "8.5", "8.8", "8.11", "8.12", "8.17", "8.24"), _LIVE),
    "8.7": "checked with 8.3",
    "8.9": "checked with 9.7",
    **dict.fromkeys(("8.13", "8.14", "8.15", "8.16"), "a title is one encode: it has no discontinuity"),
    "8.18": "edges answer segments themselves (tests/e2e)",
    "8.19": "no advertisements are inserted",
    "8.21": "no timed metadata is made",
    "8.23": _OTHER_CODEC,
    "9.5": "checked with 9.7",
    "9.6": "checked with 9.7",
    "9.8": "a title has one angle",
    "9.9": _NOT_MEANT + "a source below the ladder's second step has one rung: nothing is scaled up",
    "9.10": _NOT_MEANT + "a second rung at the top would cost a fifth more encoding",
    "9.12": "checked with 9.11",
    "9.13": "checked with 1.27",
    "9.17": "the film's own sound comes before commentaries and descriptions (`marquee.media.sound.mixes`)",
    "9.18": "no content steering is written",
    "9.19": "no SCORE is written",
}


def authoring_findings(told: Told) -> tuple[list[str], list[str]]:
    """(findings, recommendations): what breaks a MUST and what breaks a SHOULD, each with the rule's number.

    What an earlier release stored is not made again by a new run of `manifest`. Where such a version breaks a rule on the stage
    `streams`, that is a recommendation.
    """
    findings: list[str] = []
    recommendations: list[str] = []
    earlier = any(one.key_frames is None for one in told.streams.video)
    for rule in RULES:
        tolerated = rule.severity == "SHOULD" or (earlier and rule.of_streams)
        advice = ". Run it again from `streams` on to mend it" if earlier and rule.of_streams else ""
        sentences = [f"Apple's authoring rule {rule.number}: {one}{advice}." for one in rule.check(told)]
        (recommendations if tolerated else findings).extend(sentences)
    return findings, recommendations
