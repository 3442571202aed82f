"""Patches of known colours, sent through a picture's filter chain: what comes out is compared in numbers.

Light is counted in cd/m2 of red, green and blue. `pq` and `hlg` are the formulas of ITU-R BT.2100.
"""

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from marquee.documents import VideoStream
from marquee.media.encode.filter_text import chunk_chain, render
from marquee.media.encode.filters import picture_chain
from marquee.media.programs import binaries

Values = npt.NDArray[np.float64]
SIDE: Final = 32
"""Pixels of a patch's side."""
BT2020_OF_BT709: Final = np.array(
    [[0.627404, 0.329283, 0.043313], [0.069097, 0.919540, 0.011362], [0.016391, 0.088013, 0.895595]]
)
"""Linear BT.709 to linear BT.2020 (ITU-R BT.2087)."""


def pq(nits: object) -> Values:
    """PQ's signal, 0 to 1, of display light in cd/m2."""
    light = (np.asarray(nits, float).clip(0) / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * light) / (1 + 18.6875 * light)) ** 78.84375)


def hlg(nits: object) -> Values:
    """HLG's signal of display light (red, green, blue in BT.2020) on a display of 1,000 cd/m2, whose gamma is 1.2."""
    shown = np.asarray(nits, float).clip(0) / 1000
    luminance = shown @ np.array([0.2627, 0.6780, 0.0593])
    scene = shown * np.maximum(luminance, 1e-9)[..., None] ** (1 / 1.2 - 1)
    log = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), log))


def shown(signal: Values, *, full_range: bool = False, stored_matrix: str | None = None, **colours: object) -> Values:
    """Red, green and blue (0 to 255) that a viewer sees of each row of `signal` (red, green, blue, 0 to 1).

    `signal` is stored as 12-bit RGB or, with a matrix of BT.2020 or BT.709, as 12-bit Y'CbCr.
    `stored_matrix` is the true one where `color_space` names another.
    """
    matrix = stored_matrix or colours.get("color_space", "gbr")
    if matrix == "gbr":
        planes, pixel_format = np.rint(signal[:, [1, 2, 0]] * 4095), "gbrp12le"
        full_range = True
    else:
        kr, kb = {"bt2020nc": (0.2627, 0.0593), "bt709": (0.2126, 0.0722)}[str(matrix)]
        luma = signal @ np.array([kr, 1 - kr - kb, kb])
        blue, red = (signal[:, 2] - luma) / (2 - 2 * kb), (signal[:, 0] - luma) / (2 - 2 * kr)
        if full_range:
            planes = np.rint(np.stack([4095 * luma, 4095 * blue + 2048, 4095 * red + 2048], 1))
        else:
            planes = np.rint(16 * np.stack([16 + 219 * luma, 128 + 224 * blue, 128 + 224 * red], 1))
        pixel_format = "yuv444p12le"
    width, height = SIDE * len(signal), SIDE
    video = VideoStream(
        index=0,
        codec="ffv1",
        width=width,
        height=height,
        display_width=width,
        display_height=height,
        **{"pixel_format": pixel_format, "bit_depth": 12, "color_range": "pc" if full_range else "tv", **colours},
    )  # type: ignore[arg-type]
    chain = render(chunk_chain(picture_chain(video, Fraction(25), width, height), 0, 1))
    stored = np.repeat(np.repeat(planes.clip(0, 4095).astype("<u2").T[:, None, :], SIDE, axis=1), SIDE, axis=2)
    size = ("-f", "rawvideo", "-s", f"{width}x{height}", "-pix_fmt")
    made = subprocess.run(
        [
            *(str(binaries.picture_ffmpeg()), "-v", "error", *size, pixel_format, "-i", "-"),
            *("-vf", f"{chain},scale=in_color_matrix=auto:in_range=tv:out_range=pc,format=rgb24"),
            *("-frames:v", "1", "-f", "rawvideo", "-"),
        ],
        input=stored.tobytes(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert made.returncode == 0, f"{colours} cannot be converted: {made.stderr.decode()[-500:]}"
    picture = np.frombuffer(made.stdout, np.uint8).reshape(height, width, 3)
    return picture[SIDE // 2, SIDE // 2 :: SIDE].astype(float)


def greys(nits: Sequence[float]) -> Values:
    """Rows of equal red, green and blue."""
    return np.repeat(np.asarray(nits, float)[:, None], 3, axis=1)
