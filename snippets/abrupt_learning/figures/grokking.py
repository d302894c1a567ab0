"""The figure of abrupt_learning/grokking."""

from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(2, height=2.4, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["decay"]["step"]
    curves = (
        ("decay", "train", 1, "sums it trains on", ":"),
        ("decay", "test", 0, "other sums", "-"),
        ("none", "test", 3, "other sums, no decay", "--"),
    )
    for cell, side, index, label, dash in curves:
        right = [m[cell][f"{side}_right"] for m in runs]
        style.seeds_and_median(top, x, right, index, label, linestyle=dash)
        loss = [m[cell][f"{side}_loss"] for m in runs]
        style.seeds_and_median(bottom, x, loss, index, label, linestyle=dash)
    top.set(ylim=(-0.03, 1.05), ylabel="share right")
    top.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    bottom.set(yscale="log", xlabel="training step", ylabel="loss (nats)")
    return {"late": figure}
