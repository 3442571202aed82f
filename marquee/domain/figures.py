"""Writes a figure that is compared with a limit: rounding never makes it equal to the limit, or puts it on the other side. Pure.

"5 % of the frames are broken, at most 5 % may be" explains nothing. Such a figure gets as many decimals as it takes.
"""

from typing import Final

_MAX_DECIMALS: Final = 6


def beside_limit(value: float, limit: float, decimals: int = 0) -> str:
    """`value` with at least `decimals` decimals, so that the text is above `limit`, below it, or equal to it, as `value` is.

    A difference below a millionth is written in full.
    """
    for number in range(decimals, _MAX_DECIMALS + 1):
        text = f"{value:.{number}f}"
        if _order(float(text), limit) == _order(value, limit):
            return text
    return repr(value)


def _order(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)
