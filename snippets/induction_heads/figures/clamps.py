"""The figures of induction_heads/clamps."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.clamps import ALL

SHORT = {"previous": "look back", "match": "match", "copy": "copy"}
NAMES = [" + ".join(SHORT[part] for part in clamp) or "nothing" for clamp in ALL]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"loss": draw_loss(runs), "waits": draw_waits(runs)}


def draw_loss(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4, sharex=True)
    x = runs[0]["base"]["step"]
    for ax, nets in zip(axes[:, 0], ((0, 1, 2, 3), (0, 4, 5, 6))):
        for index, net in enumerate(nets):
            ys = [m["base"]["loss"][:, net] for m in runs]
            style.seeds_and_median(ax, x, ys, index, NAMES[net])
        style.level(ax, np.log(3), "ln 3")
        ax.set(ylabel="loss (nats)", ylim=(-0.08, 2.3), xlim=(0, 400))
        place = {"loc": "lower center", "bbox_to_anchor": (0.48, 1), "ncols": 4}
        ax.legend(**place, fontsize=8.5, columnspacing=0.9, handlelength=1.3)
    axes[1, 0].set_xlabel("training step")
    return figure


def draw_waits(runs: list[Measurements]) -> Figure:
    """Each single clamp's wait, as a share of the wait without, at three strengths."""
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    places = np.arange(3)
    for index, (cell, name) in enumerate(
        (("weak", "strength 4"), ("base", "strength 8"), ("strong", "strength 16"))
    ):
        shares = [m[cell]["wait"][1:4] / m[cell]["wait"][0] for m in runs]
        at = places + 0.24 * (index - 1)
        style_of = {"color": style.colour(index), "width": 0.2}
        ax.bar(at, np.median(shares, 0), alpha=0.4, label=name, **style_of)
        for share in shares:
            ax.plot(at, share, "o", color=style.colour(index), markersize=3)
    ax.set_xticks(places, [SHORT[clamp[0]] for clamp in ALL[1:4]])
    ax.set(ylabel="wait, share of that without", xlabel="the part that is clamped")
    ax.set_ylim(0, 1)
    ax.grid(False, axis="x")
    ax.legend(loc="upper right")
    return figure
