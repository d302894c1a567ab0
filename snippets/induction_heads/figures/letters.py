"""The figure of induction_heads/letters."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.letters import ALPHABET


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """The loss along four copies of one segment, and the scores of every head."""
    figure, axes = style.panels(2, height=2.4)
    loss, scores = axes[:, 0]
    size = (len(runs[0]["by_place"]) + 1) // 4
    x = np.arange(2, 4 * size + 1)  # the letter that is foretold
    style.seeds_and_median(loss, x, [m["by_place"] for m in runs], 0, "loss")
    style.level(loss, float(np.log(len(ALPHABET))), "ln 27: any letter")
    for copy in (1, 2, 3):
        loss.axvline(copy * size + 0.5, color=style.ink(), linewidth=0.9, linestyle=":")
    loss.set(xlabel="letter: four copies of sixteen", ylabel="loss (nats)")
    loss.set_ylim(0, 5)
    names = ("layer 1, a", "layer 1, b", "layer 2, a", "layer 2, b")
    for index, name in enumerate(("previous", "prefix")):
        for place in range(len(names)):
            ys = [sorted(m[name][place // 2])[::-1][place % 2] for m in runs]
            label = ("previous token", "prefix matching")[index] if place == 0 else None
            x_of = [place + 0.2 * (index - 0.5)] * len(ys)
            scores.scatter(
                x_of,
                ys,
                color=style.colour(index),
                marker="os"[index],
                s=18,
                label=label,
            )
    scores.set_xticks(range(len(names)), names)
    scores.set(ylabel="score", ylim=(-0.04, 1.04))
    scores.legend(loc="upper left")
    return {"copies": figure}
