"""Colours named unusually: every combination of names is converted, refused, or guessed with a note."""

from fractions import Fraction

import numpy as np
import pytest

from marquee.documents import VideoStream
from marquee.errors import SourceRefused
from marquee.media.encode.colours import believed, check_convertible
from marquee.media.encode.plan_notes import plan_notes
from tests.harness.media.packaging import a_rung
from tests.harness.media.patches import BT2020_OF_BT709, greys, shown

MATRICES = ["bt709", "ycgco", "bt2020nc", "bt2020c", "ictcp", "gbr", "chroma-derived-c", "smpte240m", "reserved", None]
TRANSFERS = [
    *("bt709", "bt470bg", "linear", "log100", "bt1361e", "bt2020-10", "bt2020-12", "smpte2084", "smpte428"),
    *("arib-std-b67", "iec61966-2-1", "reserved", None),
]
PRIMARIES = ["bt709", "film", "bt2020", "smpte428", "smpte432", "reserved", None]
SDR_2020 = {"color_space": "bt2020nc", "color_primaries": "bt2020"}


def video(**named: object) -> VideoStream:
    size = {"width": 64, "height": 64, "display_width": 64, "display_height": 64}
    return VideoStream(index=0, codec="hevc", **{**size, **named})  # type: ignore[arg-type]


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "gbrp12le"])
def test_every_combination_is_one_that_a_standard_defines(pixel_format: str) -> None:
    for matrix in MATRICES:
        for transfer in TRANSFERS:
            for primaries in PRIMARIES:
                named = {"color_space": matrix, "color_transfer": transfer, "color_primaries": primaries}
                found = believed(video(pixel_format=pixel_format, **named))
                if found.matrix == "ictcp":
                    assert (found.transfer in {"smpte2084", "arib-std-b67"}, found.primaries) == (True, "bt2020")
                if found.matrix == "bt2020c":
                    assert found.transfer in {"bt709", "bt2020-10", "bt2020-12"}
                assert (found.matrix == "gbr") == (pixel_format == "gbrp12le")
                kept = (found.matrix, found.transfer, found.primaries)
                for one, name in zip(kept, (matrix, transfer, primaries), strict=True):
                    rgb = one == "gbr"
                    assert one == name or rgb or name in {None, "bt1361e"} or found.guesses, (
                        f"{name} became {one} silently"
                    )


@pytest.mark.parametrize(
    "named",
    [
        ("ictcp", "bt709", "bt2020"),
        ("ictcp", None, None),
        ("bt2020c", "smpte2084", "bt2020"),
        ("gbr", "bt709", "smpte432"),
        ("gbr", "arib-std-b67", "bt2020"),
        ("bt709", "smpte428", "smpte428"),
        ("bt2020nc", "smpte428", "bt2020"),
        ("bt2020nc", None, "bt2020"),
        ("bt2020nc", "reserved", "reserved"),
        ("bt709", "arib-std-b67", "bt709"),
    ],
)
def test_contradictory_names_are_still_shown(named: tuple[str | None, ...]) -> None:
    matrix, transfer, primaries = named
    seen = shown(
        greys([0.0, 0.5, 1.0]),
        stored_matrix="bt2020nc",
        color_space=matrix,
        color_transfer=transfer,
        color_primaries=primaries,
    )
    assert np.ptp(seen, axis=1).max() <= 3, "Greys are not neutral."
    assert np.all(np.diff(seen.mean(axis=1)) > 0)


@pytest.mark.parametrize("transfer", ["bt2020-10", "bt2020-12", None])
def test_sdr_in_a_wide_gamut_keeps_its_colours(transfer: str | None) -> None:
    colours = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.9, 0.55, 0.4], [0.5, 0.5, 0.5], [1, 1, 1]])
    signal = (colours @ BT2020_OF_BT709.T) ** (1 / 2.4)
    difference = np.abs(shown(signal, color_transfer=transfer, **SDR_2020) - 255 * colours ** (1 / 2.4))
    assert difference[colours > 0].max() <= 4
    assert difference.max() <= 10


@pytest.mark.parametrize("primaries", ["smpte431", "smpte432", "film", "bt470bg", "smpte170m"])
def test_greys_of_other_primaries_stay_neutral(primaries: str) -> None:
    seen = shown(
        greys([0.0, 0.25, 0.5, 0.75, 1.0]), color_space="bt709", color_transfer="bt709", color_primaries=primaries
    )
    assert np.ptp(seen, axis=1).max() <= 3
    assert np.abs(seen[:, 0] - 255 * np.linspace(0, 1, 5)).max() <= 3


@pytest.mark.parametrize("primaries", ["smpte432", "film", "bt2020"])
def test_colours_of_wide_primaries_are_converted(primaries: str) -> None:
    skin = np.array([[0.8, 0.6, 0.5]])
    kept = shown(skin, color_space="bt709", color_transfer="bt709", color_primaries="bt709")
    seen = shown(skin, color_space="bt709", color_transfer="bt709", color_primaries=primaries)
    assert seen[0, 0] > kept[0, 0] + 2, "The wider red was shown as BT.709's."


def test_rgb_is_red_green_and_blue_whatever_is_named() -> None:
    colours = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.8, 0.6, 0.5]])
    for transfer, primaries in ((None, None), ("bt709", "bt709")):
        seen = shown(colours, color_space="gbr", color_transfer=transfer, color_primaries=primaries)
        assert np.abs(seen - 255 * colours).max() <= 4, seen


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"color_space": "bt709", "color_transfer": "linear"}, "the transfer linear"),
        (
            {"color_space": "bt2020nc", "color_transfer": "smpte428", "color_primaries": "bt2020"},
            "the transfer smpte428",
        ),
        ({"color_space": "bt2020nc", "color_primaries": "bt2020"}, "no transfer"),
        ({"color_space": "gbr", "color_transfer": "bt709"}, "the matrix gbr"),
        ({"color_space": "ictcp", "color_transfer": "bt709"}, "the matrix ictcp"),
        ({"color_space": "bt709", "color_primaries": "smpte428"}, "the primaries smpte428"),
        ({}, "no matrix"),
    ],
)
def test_a_guess_is_noted_with_its_reason(named: dict[str, str], why: str) -> None:
    [told] = [
        one
        for one in plan_notes(video(**named), [a_rung("180p", 64, 64)], Fraction(25))
        if one.code == "colours-guessed"
    ]
    assert why in told.sentence


def test_usual_colours_are_no_guess() -> None:
    for named in (("bt709", None, None), ("smpte170m", "bt709", None), ("bt2020nc", "smpte2084", "bt2020")):
        colours = dict(zip(("color_space", "color_transfer", "color_primaries"), named, strict=True))
        assert not believed(video(**colours)).guesses


@pytest.mark.parametrize("matrix", ["ipt-c2", "smpte2085", "ycgco-re", "ycgco-ro"])
def test_a_matrix_that_is_not_converted_is_refused_with_its_name(matrix: str) -> None:
    with pytest.raises(SourceRefused, match=matrix):
        check_convertible((matrix, "bt2020", "smpte2084"))
