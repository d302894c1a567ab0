"""The figures of mechanisms/weights_or_context."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"contradiction": draw_contradiction(runs), "prompts": draw_prompts(runs)}


NETWORKS = {"weights": "fixed labels", "context": "new labels", "both": "both"}


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
    """For each network a panel: the share of right answers to each kind of prompt."""
    kinds = {
        "silent_memory": "item not shown\n(usual label)",
        "agree": "item shown,\nusual label",
        "flipped_prompt": "all labels\nwrong",
        "lie_prompt": "only its own\nlabel wrong",
        "new_items": "unseen items",
        "new_labels": "unseen labels",
        "all_new": "unseen items\nand labels",
    }
    figure, axes = style.panels(1, 3, height=3.6, sharey=True)
    for index, (ax, (name, title)) in enumerate(zip(axes[0], NETWORKS.items())):
        rows = np.arange(len(kinds))
        values = np.array([[m[name][kind] for kind in kinds] for m in runs])
        ax.barh(rows, np.median(values, 0), 0.7, color=style.colour(index), alpha=0.55)
        for one in values:
            ax.plot(one, rows, "o", color=style.ink(), markersize=2)
        ax.axvline(1 / 8, color=style.ink(), linewidth=0.9, linestyle=":")
        ax.axvline(1 / 32, color=style.ink(), linewidth=0.9, linestyle="--")
        ax.set(xlim=(0, 1.03), xticks=(0, 0.5, 1), xticklabels=("0", "½", "1"))
        ax.set_title(title, fontsize=9.5)
        ax.set_yticks(rows, list(kinds.values()), fontsize=8.5)
        ax.grid(axis="y", visible=False)
    axes[0, 0].invert_yaxis()
    axes[0, 1].set_xlabel("share of answers that are right")
    return figure
