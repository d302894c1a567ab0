"""The figures of mechanisms/weights_or_context."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"contradiction": draw_contradiction(runs), "prompts": draw_prompts(runs)}


NETWORKS = {"weights": "fixed labels", "context": "new labels", "both": "both kinds"}


def draw_contradiction(runs: list[Measurements]) -> Figure:
    """One thin bar a seed, cut into training's label, the prompt's, and others."""
    figure, axes = style.panels(1, height=3.0)
    ax, n = axes[0, 0], len(runs)
    ticks = []
    for group, name in enumerate(NETWORKS):
        at = group * (n + 1.5) + np.arange(n)
        ticks.append(at.mean())
        prompt = np.array([m[name]["flipped_prompt"] for m in runs])
        memory = np.array([m[name]["flipped_memory"] for m in runs])
        first = group == 0
        for left, width, index, label in (
            (np.zeros(n), memory, 0, "what training said"),
            (memory, prompt, 1, "what the prompt says"),
            (memory + prompt, 1 - memory - prompt, 6, "anything else"),
        ):
            ax.barh(
                at,
                width,
                0.8,
                left=left,
                color=style.colour(index),
                label=label if first else f"_{label}, {name}",
            )
    ax.set_yticks(
        ticks,
        [
            "labels that\nnever change",
            "labels new in\nevery prompt",
            "both kinds\nof prompt",
        ],
    )
    ax.set(xlim=(0, 1), xlabel="share of answers", ylabel="trained on")
    ax.invert_yaxis()
    ax.grid(False)
    figure.legend(loc="outside upper center", ncols=3, handlelength=1, columnspacing=1)
    return figure


def draw_prompts(runs: list[Measurements]) -> Figure:
    """For each kind of prompt a bar a network: the share of right answers."""
    kinds = {
        "silent_memory": "item not shown\n(usual label)",
        "agree": "item shown,\nusual label",
        "flipped_prompt": "all labels\nwrong",
        "lie_prompt": "only its own\nlabel wrong",
        "new_items": "unseen items",
        "new_labels": "unseen labels",
        "all_new": "unseen items\nand labels",
    }
    figure, axes = style.panels(1, height=5.4)
    ax, rows = axes[0, 0], np.arange(len(kinds))
    for index, (name, label) in enumerate(NETWORKS.items()):
        values = np.array([[m[name][kind] for kind in kinds] for m in runs])
        at = rows + 0.27 * (index - 1)
        ax.barh(at, np.median(values, 0), 0.25, color=style.colour(index), label=label)
        for one in values:
            ax.plot(one, at, "o", color=style.ink(), markersize=2)
    any_shown = 1 / 8 + 7 / 8 / 32  # the label asked for, or another pair with the same
    ax.axvline(any_shown, color=style.ink(), linewidth=0.9, linestyle=":")
    ax.axvline(1 / 32, color=style.ink(), linewidth=0.9, linestyle="--")
    ax.set(xlim=(0, 1.03), xlabel="share of answers that are right")
    ax.set_yticks(rows, list(kinds.values()))
    ax.grid(axis="y", visible=False)
    ax.invert_yaxis()
    figure.legend(loc="outside upper center", ncols=3, title="trained on")
    return figure
