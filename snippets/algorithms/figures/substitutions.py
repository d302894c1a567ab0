"""The figures of algorithms/substitutions."""

from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    x = runs[0]["n_layers"]
    for index, (name, label) in enumerate(
        (("loss_plain", "gradient descent"), ("loss_bent", "GD++"))
    ):
        share = [m[name] / m["variance"] for m in runs]
        style.seeds_and_median(ax, x, share, index, label, marker="o", markersize=4)
    style.level(ax, 1.0, "predict 0", x=0.99)
    ax.set(
        xlabel="layers",
        ylabel="in-context loss / variance of y",
        yscale="log",
        xticks=x,
    )
    ax.legend()
    return {"depth": figure}
