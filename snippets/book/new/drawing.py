"""The figure of the new experiment. (What it shows, in a line.)"""

from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1)
    ax = axes[0, 0]
    x = runs[0]["size"]
    style.seeds_and_median(ax, x, [m["error"] for m in runs], 0, "measured")
    ax.plot(x, x**-0.5, color=style.ink(), linestyle=":", label="theory")
    ax.set(xscale="log", yscale="log", xlabel="draws", ylabel="error of the mean")
    ax.legend()
    return {"error": figure}
