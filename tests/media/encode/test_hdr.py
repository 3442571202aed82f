"""HDR in SDR, in numbers: patches of known light, by the formulas of ITU-R BT.2100 and the reference white of BT.2408."""

import numpy as np
import pytest

from tests.harness.media.patches import BT2020_OF_BT709, Values, greys, hlg, pq, shown

PQ = {"color_transfer": "smpte2084", "color_primaries": "bt2020", "color_space": "bt2020nc"}
HLG = {"color_transfer": "arib-std-b67", "color_primaries": "bt2020", "color_space": "bt2020nc"}
STEPS = [0, 0.1, 0.5, 1, 5, 10, 26, 50, 100, 203, 400, 600, 800, 1000]


def of_hdr(nits: Values, kind: dict[str, str], **more: object) -> Values:
    return shown((pq if kind is PQ else hlg)(nits), **{**kind, **more})


@pytest.mark.parametrize("kind", [PQ, HLG], ids=["PQ", "HLG"])
@pytest.mark.parametrize("full_range", [False, True])
def test_reference_white_is_white_and_highlights_differ(kind: dict[str, str], full_range: bool) -> None:
    seen = of_hdr(greys(STEPS), kind, full_range=full_range)
    assert np.ptp(seen, axis=1).max() <= 3, f"Greys are not neutral: {seen}"
    level = dict(zip(STEPS, seen.mean(axis=1), strict=True))
    assert level[0] == 0, "Black is not black."
    assert 225 <= level[203] <= 240
    assert level[1000] - level[600] >= 4
    assert level[1000] >= 250
    assert np.all(np.diff(list(level.values())) >= 0), f"The ramp goes back: {level}"
    assert abs(level[26] - 255 * (26 / 203) ** (1 / 2.4)) <= 3, "Light below the knee is changed."


def test_light_beyond_the_peak_is_white() -> None:
    assert of_hdr(greys([4000, 10_000]), PQ).min() >= 252


def test_hlg_at_three_quarters_is_reference_white() -> None:
    assert 225 <= shown(np.full((1, 3), 0.75), **HLG).mean() <= 240
    assert hlg(greys([203]))[0, 0] == pytest.approx(0.75, abs=0.001)


@pytest.mark.parametrize("kind", [PQ, HLG], ids=["PQ", "HLG"])
def test_colours_of_bt709_come_out_as_themselves(kind: dict[str, str]) -> None:
    # Primaries, secondaries and skin, up to the knee: half the reference white.
    colours = np.array(
        [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [0.9, 0.55, 0.4], [0.3, 0.16, 0.1]]
    )
    seen = of_hdr(101.5 * colours @ BT2020_OF_BT709.T, kind)
    difference = np.abs(seen - 255 * (colours / 2) ** (1 / 2.4))
    assert difference[colours > 0].max() <= 4, seen
    assert difference.max() <= 8, seen  # near black, one step of the 8-bit signal is 4 to 7 steps of a colour


@pytest.mark.parametrize("kind", [PQ, HLG], ids=["PQ", "HLG"])
@pytest.mark.parametrize("nits", [203, 600, 1000])
def test_a_bright_colour_keeps_its_hue(kind: dict[str, str], nits: float) -> None:
    colours = np.array([[1, 0.5, 0.25], [0.25, 1, 0.5], [0.5, 0.25, 1], [0.95, 0.6, 0.45]])
    seen = (of_hdr(nits * colours @ BT2020_OF_BT709.T, kind) / 255) ** 2.4
    ratios = seen / seen.max(axis=1, keepdims=True)
    assert np.abs(ratios - colours / colours.max(axis=1, keepdims=True)).max() <= 0.05, ratios


@pytest.mark.parametrize("nits", [100, 1000])
def test_a_colour_outside_bt709_becomes_the_nearest_of_its_hue(nits: float) -> None:
    wide = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]], float)
    seen = of_hdr(nits * wide, PQ)
    assert np.all(seen[wide == 0] <= 60), seen
    assert np.all(seen[wide == 1] >= 150), seen
