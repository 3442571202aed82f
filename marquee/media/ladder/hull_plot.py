"""Draws a title's analysis as one PNG: every size's curve, the convex hull, the chosen rungs and the fixed ladder. Pure.

Reads the document of `analysis`; returns bytes. Matplotlib's Agg canvas is used without pyplot, as in `plot`.
"""

import io
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from marquee.documents import AnalysisDocument, LadderPoint

_INK: Final = "#1f2430"
_FAINT: Final = "#8a91a0"
_GRID: Final = "#e6e8ee"
_HULL: Final = "#2171b5"
_RUNG: Final = "#c2255c"
_FIXED: Final = "#f0a13a"


def hull_png(document: AnalysisDocument) -> bytes:
    """A PNG of about 960 x 460 pixels, the width that Dagster's pages show. The document must have rungs."""
    figure = Figure(figsize=(10, 4.8), dpi=96, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    shown = [*document.rungs, *document.fixed]
    _line(axes, document.hull, _HULL, "convex hull, expected", linewidth=1.8, zorder=2)
    trials = document.trials
    axes.scatter(
        [one.bitrate_bps for one in trials],
        [one.vmaf for one in trials],
        s=22,
        facecolors="none",
        edgecolors=_FAINT,
        label=f"trials, as measured ({document.trial_preset})",
        zorder=3,
    )
    _line(axes, document.fixed, _FIXED, "fixed ladder, expected", linestyle="--", marker="D", markersize=5, zorder=4)
    _line(axes, document.rungs, _RUNG, "chosen rungs", linestyle="none", marker="o", markersize=8, zorder=5)
    _name_rungs(axes, document.rungs)
    axes.set_xscale("log")
    rates = [one.bitrate_bps for one in shown]
    axes.set_xlim(min(rates) * 0.7, max(rates) * 1.6)
    low = min(one.vmaf for one in shown)
    axes.set_ylim(max(0.0, low - 8), 102)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:g}"))
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    axes.tick_params(colors=_FAINT, labelsize=8.5, length=0)
    size = f"{document.compared_width}x{document.compared_height}"
    axes.set_xlabel("Mbit/s (log scale)", fontsize=8.5, color=_FAINT)
    axes.set_ylabel(f"VMAF at {size}", fontsize=8.5, color=_FAINT)
    axes.set_title("Ladder by title", loc="left", fontsize=11, fontweight="bold", color=_INK, pad=10)
    axes.set_title(_summary(document), loc="right", fontsize=8.5, color=_FAINT, pad=10)
    axes.legend(loc="lower right", fontsize=8.5, frameon=False, labelcolor=_INK)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()


def _line(axes: Axes, points: Sequence[LadderPoint], colour: str, label: str, **style: Any) -> None:
    axes.plot([one.bitrate_bps for one in points], [one.vmaf for one in points], color=colour, label=label, **style)


def _name_rungs(axes: Axes, rungs: Sequence[LadderPoint]) -> None:
    """Each rung's size and CRF, above and to the left of its point, where the hull does not pass."""
    for one in rungs:
        axes.annotate(
            f"{one.width}x{one.height}, CRF {one.crf}",
            (one.bitrate_bps, one.vmaf),
            (-7, 6),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color=_INK,
        )


def _summary(document: AnalysisDocument) -> str:
    cost = f"analysis: {document.cpu_seconds:.1f} s of cpu"
    if document.bd_rate is None:
        return cost
    more_or_fewer = "fewer" if document.bd_rate <= 0 else "more"
    return f"{abs(100 * document.bd_rate):.0f} % {more_or_fewer} bits at equal VMAF   {cost}"
