"""The checks of Apple's authoring rules on bit rates (`authoring`), like those of `authoring_checks`. Pure.

Rates are measured again, from the stored sizes and the playlists' durations. They are not taken from the documents.
"""

from typing import Final

import m3u8

from marquee.media.package.authoring_checks import Told

_TOLERANCE: Final = 0.1
"""Apple's 10 %."""
_FIRST_VARIANT_BPS: Final = 2_500_000
"""Apple's 2 Mbit/s of video for Wi-Fi, and sound."""


def average(told: Told) -> list[str]:
    findings = []
    for one in told.master.playlists:
        if one.uri not in told.media or not one.stream_info.average_bandwidth:
            continue
        measured = told.rates(one.uri)[0] + max(
            (told.rates(name)[0] for name in told.sounds(one.stream_info.audio)), default=0
        )
        findings += _beside(f"variant {one.uri}", "AVERAGE-BANDWIDTH", one.stream_info.average_bandwidth, measured)
    return findings


def peak(told: Told) -> list[str]:
    findings = []
    for one in told.master.playlists:
        if one.uri not in told.media:
            continue
        measured = told.rates(one.uri)[1] + max(
            (told.rates(name)[1] for name in told.sounds(one.stream_info.audio)), default=0
        )
        findings += _beside(f"variant {one.uri}", "BANDWIDTH", one.stream_info.bandwidth, measured)
    return findings


def iframe_peak(told: Told) -> list[str]:
    findings = []
    for one in told.master.iframe_playlists:
        if one.uri in told.media:
            measured = told.rates(one.uri)[1]
            findings += _beside(f"I-frame playlist {one.uri}", "BANDWIDTH", one.iframe_stream_info.bandwidth, measured)
    return findings


def _beside(subject: str, attribute: str, told: int, measured: int) -> list[str]:
    if abs(told - measured) <= _TOLERANCE * measured:
        return []
    return [f"{subject} has {attribute}={told}, and {measured} bits a second were measured"]


def peak_ratio(one: m3u8.Playlist) -> str | None:
    info = one.stream_info
    if not info.average_bandwidth or info.bandwidth <= 2 * info.average_bandwidth:
        return None
    return f"has a peak of {info.bandwidth} bits a second, over 200 % of its average {info.average_bandwidth}"


def first_variant(told: Told) -> list[str]:
    rates = [one.stream_info.average_bandwidth or 0 for one in told.master.playlists]
    if not rates or rates[0] <= max(_FIRST_VARIANT_BPS, min(rates)):
        return []
    return [f"the first variant has {rates[0]} bits a second: players without a measurement start with it"]
