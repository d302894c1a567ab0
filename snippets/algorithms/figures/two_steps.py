"""The figures of algorithms/two_steps."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.1)
    ax = axes[0, 0]
    x = runs[0]["step"]
    for m in runs:
        ax.plot(x, m["loss"], color=style.colour(0), lw=0.5, alpha=0.4)
    everything = np.concatenate([m["loss"] for m in runs], 1)
    ax.plot(x, np.median(everything, 1), color=style.colour(1), label="median")
    lines = (
        ("loss_descent", "2 gradient steps", 0.3),
        ("loss_bent", "2 steps of GD++", 0.99),
    )
    for name, text, end in lines:
        at = float(np.median([m[name] for m in runs]))
        style.level(ax, at, text, below=True, x=end)
    ax.set(xlabel="training step", ylabel="loss", ylim=(0.08, 0.47))
    ax.legend(loc="upper right")
    return {"loss": figure}
