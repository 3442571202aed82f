"""Draws a title's ladder as one PNG for the asset's page: rate and quality of every rung, and the segments' rates over time.

Reads the documents of `renditions`, `streams` and `quality`; returns bytes. Pure. Matplotlib's Agg canvas is used
without pyplot, which has global state: so drawing works in any thread.
"""

import io
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from marquee.documents import PackagedStream, QualityScore, Rung

_INK: Final = "#1f2430"
_FAINT: Final = "#8a91a0"
_GRID: Final = "#e6e8ee"
_PALETTE: Final = ("#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b", "#041d44")
_TARGET: Final = "#f0a13a"
_SCORE: Final = "#c2255c"


def _mbit(value: float) -> str:
    return f"{value / 1e6:.1f}" if value >= 950_000 else f"{value / 1e6:.2f}"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
        if whole >= 3600
        else f"{whole // 60}:{whole % 60:02d}"
    )


def _clean(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=_INK, pad=10)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    axes.tick_params(colors=_FAINT, labelsize=8.5, length=0)
    axes.set_axisbelow(True)


def _colours(count: int) -> list[str]:
    """One colour a rung, from light (lowest) to dark (highest), spread over the palette."""
    last = len(_PALETTE) - 1
    return [_PALETTE[round(1 + index * (last - 1) / max(1, count - 1))] for index in range(count)]


def _draw_ladder(
    axes: Axes, video: Sequence[PackagedStream], rungs: dict[str, Rung], scores: dict[str, QualityScore]
) -> None:
    colours = _colours(len(video))
    places = range(len(video))
    axes.barh(places, [one.average_bps for one in video], height=0.56, color=colours, zorder=2)
    for place, one in zip(places, video, strict=True):
        axes.plot([one.average_bps, one.peak_bps], [place, place], color=_FAINT, linewidth=1.2, zorder=3)
        axes.plot([one.peak_bps], [place], marker="|", markersize=9, color=_FAINT, zorder=3)
        target = rungs[one.name].bitrate_bps if one.name in rungs else None
        if target:
            axes.plot([target], [place], marker="D", markersize=5, color=_TARGET, zorder=4)
        words = f"{_mbit(one.average_bps)} Mbit/s"
        right = max(one.peak_bps, target or 0)
        axes.annotate(words, (right, place), (8, 0), textcoords="offset points", va="center", fontsize=8.5, color=_INK)
        if one.name in scores:
            # Scores stand in a column of their own at the right edge, where they are easy to compare.
            where = axes.get_yaxis_transform()
            words = f"{scores[one.name].vmaf_mean:.1f}"
            axes.text(
                1, place, words, transform=where, ha="right", va="center", fontsize=9.5, weight="bold", color=_SCORE
            )
    if scores:
        axes.set_title("VMAF", loc="right", fontsize=8.5, color=_SCORE, pad=4)
    axes.set_ylim(-0.6, max(len(video), 4) - 0.4)  # with few rungs, bars keep their thickness and start at the bottom
    axes.set_yticks(list(places), [f"{one.name}  {one.width}x{one.height}" for one in video])
    axes.tick_params(axis="y", colors=_INK)
    rightmost = max(max(one.peak_bps, rungs[one.name].bitrate_bps if one.name in rungs else 0) for one in video)
    axes.set_xlim(0, rightmost * (1.5 if scores else 1.3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:g}"))
    axes.grid(axis="x", color=_GRID, linewidth=0.8)
    axes.set_xlabel("Mbit/s:  bar = mean,  whisker = peak segment,  diamond = target", fontsize=8.5, color=_FAINT)
    _clean(axes, "Ladder")


def _draw_segments(axes: Axes, video: Sequence[PackagedStream]) -> None:
    colours = _colours(len(video))
    ends: list[tuple[float, str, str]] = []
    total = max(sum(one.segment_seconds) for one in video)
    for one, colour in zip(video, colours, strict=True):
        times, rates, at = [0.0], [], 0.0
        for seconds, size in zip(one.segment_seconds, one.segment_bytes, strict=True):
            at += seconds
            times.append(at)
            rates.append(8 * size / seconds)
        axes.stairs(rates, times, color=colour, linewidth=1.5, baseline=None, zorder=3)
        if len(rates) > 1 and one.segment_seconds[-1] < one.segment_seconds[0] / 2:
            rates = rates[:-1]  # the label stands beside the last segment of full length
        ends.append((rates[-1], one.name, colour))
    low = min(
        8 * size / seconds
        for one in video
        for size, seconds in zip(one.segment_bytes, one.segment_seconds, strict=True)
    )
    axes.set_yscale("log")
    axes.set_ylim(bottom=low * 0.8)
    bottom, top = axes.get_ylim()
    step = (top / bottom) ** 0.055
    last = bottom
    for value, name, colour in sorted(ends):
        place = max(value, last * step)
        axes.annotate(name, (total, place), (6, 0), textcoords="offset points", va="center", fontsize=8.5, color=colour)
        last = place
    axes.set_xlim(0, total)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:g}"))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _clock(value)))
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_xlabel("Mbit/s of each segment, over the title's time (log scale)", fontsize=8.5, color=_FAINT)
    _clean(axes, "Segments")


def ladder_png(video: Sequence[PackagedStream], rungs: Sequence[Rung], scores: Sequence[QualityScore] = ()) -> bytes:
    """A PNG of about 960 x 400 pixels, the width that Dagster's pages show.

    `video` are the packaged renditions, `rungs` the planned ones, `scores` those that were measured, possibly none.
    """
    rising = sorted(video, key=lambda one: (one.height or 0, one.average_bps))
    figure = Figure(figsize=(10, 1.6 + 0.44 * max(4, len(rising))), dpi=96, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1))
    _draw_ladder(left, rising, {one.name: one for one in rungs}, {one.rung: one for one in scores})
    _draw_segments(right, rising)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()
