"""The figures of a live model, in the book's style."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.live.prompt import SHOTS


def save(found: dict[str, Any], folder: Path) -> list[Path]:
    """Draw what was measured into a folder, as SVG on white."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {"prompt": prompt, "induction": induction, "vector": vector}
    files = []
    with style.use("light"):
        for name, draw in drawings.items():
            if name in found:
                files.append(folder / f"{name}.svg")
                draw(found[name]).savefig(files[-1], facecolor="white")
    return files


def prompt(found: dict[str, Any]) -> Figure:
    """Probability of the right answer, and of the usual one, against shots."""
    figure, axes = style.panels(3, height=1.9, sharex=True, sharey=True)
    x = np.arange(len(SHOTS))
    for ax, (name, curves) in zip(axes[:, 0], found["few_shot"].items(), strict=True):
        ax.plot(x, curves["right"], marker="o", label="what the prompt calls right")
        if name != "usual":
            ax.plot(x, curves["usual"], marker="s", label="the usual label")
        ax.set(title=f"{name} labels", ylim=(-0.03, 1.03), ylabel="probability")
    axes[1, 0].legend()
    axes[-1, 0].set(xlabel="shots", xticks=x)
    axes[-1, 0].set_xticklabels(SHOTS)
    return figure


def induction(found: dict[str, Any]) -> Figure:
    """Scores of all heads, and loss by position."""
    figure, axes = style.panels(3, height=2.3)
    for ax, name, title in zip(
        axes[:2, 0],
        ("prefix", "previous"),
        ("prefix matching", "previous token"),
        strict=True,
    ):
        image = ax.imshow(np.array(found[name]).T, vmin=0, vmax=1, aspect="auto")
        ax.set(title=title, xlabel="layer", ylabel="head")
        ax.grid(False)
    figure.colorbar(image, ax=list(axes[:2, 0]), label="score")
    axes[2, 0].plot(1 + np.arange(len(found["loss"])), found["loss"])
    axes[2, 0].set(
        xlabel="position", ylabel="loss, nats", title="loss on repeated tokens"
    )
    return figure


def vector(found: dict[str, Any]) -> Figure:
    """Share of right answers by the layer at which the vector is put in."""
    tasks = found["tasks"]
    figure, axes = style.panels(len(tasks), height=1.8, sharex=True, sharey=True)
    for ax, (name, task) in zip(axes[:, 0], tasks.items(), strict=True):
        ax.plot(found["layers"], task["vector"], marker="o", label="its vector")
        other = f"that of {task['other']}"
        ax.plot(found["layers"], task["other_vector"], marker="s", label=other)
        ax.set(title=name, ylim=(-0.05, 1.05), ylabel="right")
        style.beside(ax, task["few_shot"], "shots", shift=4)
        style.beside(ax, task["zero_shot"], "no shots", shift=-4)
        ax.legend(loc="upper left", bbox_to_anchor=(0.3, 1.25), ncols=2)
    axes[-1, 0].xaxis.get_major_locator().set_params(integer=True)
    axes[-1, 0].set(xlabel="layer behind which it is put in")
    return figure
