"""The figures of algorithms/ginc."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

PANELS = (
    ("seen", "concepts of training"),
    ("unseen", "concepts that no document had"),
)
WHO = (("oracle", "exact predictor", "--"), ("network", "trained LSTM", "-"))


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"shots": draw_shots(runs), "documents": draw_documents(runs)}


def draw_shots(runs: list[Measurements]) -> Figure:
    """Accuracy against number of examples, for examples of five tokens."""
    figure, axes = style.panels(2, height=2.3, sharex=True, sharey=True)
    shots = runs[0]["shots"]
    x = np.arange(len(shots))
    for ax, (kind, title) in zip(axes[:, 0], PANELS):
        for index, (who, label, line) in enumerate(WHO):
            right = [m[f"{kind}: {who}"][1] for m in runs]
            look = {"ls": line, "marker": "o", "ms": 3.5}
            style.seeds_and_median(ax, x, right, 1 - index, label, **look)
        if kind == "unseen":
            right = [m["unseen: other"][1] for m in runs]
            name = "exact, told of these concepts"
            style.seeds_and_median(ax, x, right, 2, name, ls="-.", marker="o", ms=3.5)
        usual = [m[f"{kind}: usual"][1] for m in runs]
        style.seeds_and_median(ax, x, usual, 6, "always the commonest answer", ls=":")
        ax.set(ylabel="accuracy", ylim=(0, 1))
        ax.set_title(title, fontsize=9.5)
        ax.set_xticks(x, [str(n) for n in shots])
    handles, labels = axes[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=8.5)
    axes[-1, 0].set(xlabel="examples in the prompt")
    return figure


def draw_documents(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    place = np.arange(1, len(runs[0]["loss"]) + 1)
    for index, (name, label, line) in enumerate(
        (("loss", "trained LSTM", "-"), ("exact_loss", "exact predictor", "--"))
    ):
        style.seeds_and_median(
            ax, place, [m[name] for m in runs], index, label, ls=line
        )
    ax.set(xlabel="tokens read", ylabel="loss (nats)")
    ax.legend(loc="upper right")
    return figure
