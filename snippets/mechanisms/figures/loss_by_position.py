"""The figures of mechanisms/loss_by_position."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.loss_by_position import PRESETS, entropy, exact_loss

CONFIG = PRESETS["laptop"]
EXACT = [exact_loss(t, CONFIG.n_faces, CONFIG.loading) for t in range(CONFIG.n_throws)]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"position": draw_position(runs), "score": draw_score(runs)}


def draw_position(runs: list[Measurements]) -> Figure:
    """Loss against position at each moment, beside the exact loss."""
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    x = np.arange(1, len(EXACT) + 1)
    for index, step in enumerate(runs[0]["moments"]):
        ys = [m["loss"][index] for m in runs]
        label = f"after {step} steps" if step else "before training"
        style.seeds_and_median(ax, x, ys, (6, 3, 1, 0)[index], label)
    ax.plot(x, EXACT, "--", color=style.ink(), linewidth=1.2, label="best: counting")
    none = "ln 6: no context used"
    ax.axhline(np.log(6), color=style.ink(), linewidth=0.9, ls=":", label=none)
    floor = entropy(CONFIG.n_faces, CONFIG.loading)
    style.level(ax, floor, "the dice known", below=True)
    ax.set(xscale="log", xlabel="throw", ylabel="loss (nats)", ylim=(1.15, 2.15))
    ax.set_xticks([1, 2, 4, 8, 16, 32, 64], ["1", "2", "4", "8", "16", "32", "64"])
    ax.minorticks_off()
    ax.legend(loc="upper right", ncols=2)
    return figure


def draw_score(runs: list[Measurements]) -> Figure:
    """The ICL score through training, in nats and in bits."""
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    ys = [m["score_by_step"] for m in runs]
    style.seeds_and_median(ax, runs[0]["step"], ys, 0, "the network")
    best = EXACT[CONFIG.late - 1] - EXACT[CONFIG.early - 1]
    style.level(ax, best, "best guess: counting", below=True)
    style.level(ax, 0, "context does not help")
    ax.set(xlabel="training step", ylabel="ICL score (nats)", ylim=(-0.6, 0.1))
    bits = ax.secondary_yaxis(
        "right", functions=(lambda y: y / np.log(2), lambda y: y * np.log(2))
    )
    bits.set_ylabel("(bits)")
    return figure
