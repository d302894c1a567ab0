"""Where does a network have an answer from: its weights, or its prompt?

Source: the task is ours. What is asked of the trained networks follows wei2023 (labels
flipped; labels without meaning), reddy2024 (figure 1d: context against memory) and
chan2022 (figure 1: unseen classes; queries that are not in the context).
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Generator, Tensor

from snippets.book import style
from snippets.book.contract import Claim, Measurements
from snippets.icl.masked_transformer import MaskedTransformer, train
from snippets.icl.symbols import (
    Prompt,
    Vocabulary,
    ask,
    new_tasks,
    pick,
    points,
    show,
    shuffled,
)


# --8<-- [start:config]
@dataclass(frozen=True)
class Config:
    new_share: float  # of the training prompts: new items, labels drawn for the prompt
    n_items: int = 64  # known items
    n_labels: int = 32
    d: int = 16  # entries of a symbol's vector
    n_pairs: int = 8
    n_queries: int = 8  # of a training prompt; each is asked by itself
    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 2
    learning_rate: float = 3e-3
    batch: int = 32
    n_steps: int = 500
    n_test: int = 1024  # prompts of each kind


PRESETS = {
    "laptop": {
        "weights": Config(new_share=0.0),
        "context": Config(new_share=1.0),
        "both": Config(new_share=0.5),
    }
}
# --8<-- [end:config]


# --8<-- [start:world]
class World:
    """What stays the same in all training prompts: the known items and their labels."""

    def __init__(self, config: Config, generator: Generator) -> None:
        self.config, self.generator = config, generator
        self.items = points(config.n_items, config.d, generator)
        self.labels = points(config.n_labels, config.d, generator)
        n = config.n_items
        self.usual = new_tasks(1, n, config.n_labels, generator)  # never changes

    def training_prompts(self) -> tuple[Vocabulary, Prompt, Int[Tensor, "batch query"]]:
        """Known items with their usual labels; half of the queries are not in the
        prompt. In `new_share` of the prompts: items of this batch alone, with labels
        of this prompt alone, and queries that are in the prompt."""
        c, g, n = self.config, self.generator, self.config.n_items
        n_new = round(c.new_share * c.batch)
        known, new = shuffled(n, c.batch - n_new, g), shuffled(n, n_new, g) + n
        parts = [
            pick(known, c.n_pairs, c.n_queries, 0.5, g),
            pick(new, c.n_pairs, c.n_queries, 1.0, g),
        ]
        items, queries = (torch.cat(part) for part in zip(*parts))

        tasks = torch.cat(  # (batch, 2 n_items): the known items, then the new ones
            [self.usual.expand(c.batch, -1), new_tasks(c.batch, n, c.n_labels, g)], 1
        )
        words = Vocabulary(torch.cat([self.items, points(n, c.d, g)]), self.labels)
        return words, *show(tasks, items, queries)

    # --8<-- [end:world]

    # --8<-- [start:tests]
    def test_prompts(self, shown: bool) -> tuple[Prompt, Int[Tensor, "batch 1"]]:
        """Usual labels and one query, which the prompt shows or does not show."""
        c, g = self.config, self.generator
        order = shuffled(c.n_items, c.n_test, g)
        return show(
            self.usual.expand(c.n_test, -1), *pick(order, c.n_pairs, 1, float(shown), g)
        )

    def flipped(
        self, prompt: Prompt, answer: Int[Tensor, "batch 1"], all_pairs: bool
    ) -> tuple[Prompt, Int[Tensor, "batch 1"]]:
        """The same prompts with wrong labels, and what they now say about the query.

        Each label is moved on by one and the same number; or that of the query alone.
        """
        n = self.config.n_labels
        shift = torch.randint(1, n, (len(answer), 1), generator=self.generator)
        wrong = (prompt.labels + shift) % n
        if not all_pairs:
            wrong = torch.where(prompt.items == prompt.queries, wrong, prompt.labels)
        return Prompt(prompt.items, wrong, prompt.queries), (answer + shift) % n

    def unseen(self, items: bool, labels: bool) -> tuple[Vocabulary, int]:
        """A vocabulary in which all items are new, or which has as many new labels
        again; and the number of its first label to use."""
        c, g = self.config, self.generator
        more = torch.cat([self.labels, points(c.n_labels, c.d, g)])
        vocabulary = Vocabulary(
            points(c.n_items, c.d, g) if items else self.items,
            more if labels else self.labels,
        )
        return vocabulary, c.n_labels if labels else 0

    # --8<-- [end:tests]


# --8<-- [start:evaluate]
def share(
    logits: Float[Tensor, "batch 1 label"], answer: Int[Tensor, "batch 1"]
) -> float:
    """How often the network gives this answer."""
    return (logits.argmax(-1) == answer).double().mean().item()


def evaluate(network: MaskedTransformer, world: World) -> dict[str, float]:
    """How often the answer is that of the memory, or that of the prompt."""
    c, g = world.config, world.generator
    words = Vocabulary(world.items, world.labels)
    prompt, usual = world.test_prompts(shown=False)
    result = {"silent_memory": share(ask(network, words, prompt), usual)}
    changed, _ = world.flipped(prompt, usual, all_pairs=True)
    result["silent_flipped"] = share(ask(network, words, changed), usual)

    prompt, usual = world.test_prompts(shown=True)
    result["agree"] = share(ask(network, words, prompt), usual)
    for name, all_pairs in (("flipped", True), ("lie", False)):
        changed, says = world.flipped(prompt, usual, all_pairs)
        logits = ask(network, words, changed)
        result[f"{name}_prompt"] = share(logits, says)
        result[f"{name}_memory"] = share(logits, usual)

    kinds = {
        "new_items": (True, False),
        "new_labels": (False, True),
        "all_new": (True, True),
    }
    for name, (items, labels) in kinds.items():
        vocabulary, first = world.unseen(items, labels)
        tasks = first + new_tasks(c.n_test, c.n_items, c.n_labels, g)
        order = shuffled(c.n_items, c.n_test, g)
        prompt, says = show(tasks, *pick(order, c.n_pairs, 1, 1.0, g))
        result[name] = share(ask(network, vocabulary, prompt), says)
    return result


# --8<-- [end:evaluate]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    c, world = config, World(config, generator)
    network = MaskedTransformer(
        2 * c.d, c.d, c.d_model, c.n_layers, c.n_heads, generator
    )

    def batch_loss() -> Float[Tensor, ""]:
        vocabulary, prompt, answer = world.training_prompts()
        logits = ask(network, vocabulary, prompt)
        return F.cross_entropy(logits.flatten(0, 1), answer.flatten())

    for _ in train(network, batch_loss, c.n_steps, c.learning_rate):
        pass  # nothing to measure on the way
    with torch.no_grad():
        result = evaluate(network, world)
    return {**result, "n_parameters": sum(p.numel() for p in network.parameters())}


# --8<-- [end:run]
CLAIMS = [
    Claim(
        id="weights-win",
        says=(
            "Trained on labels that never change, it answers more than 95 in 100 "
            "contradicting prompts with the label of training."
        ),
        value=lambda m: m["weights"]["flipped_memory"],
        holds=lambda v: v > 0.95,
        digits=3,
    ),
    Claim(
        id="context-wins",
        says=(
            "Trained on labels that are new in every prompt, it answers more than 95 in"
            " 100 contradicting prompts with the label of the prompt."
        ),
        value=lambda m: m["context"]["flipped_prompt"],
        holds=lambda v: v > 0.95,
        digits=3,
    ),
    Claim(
        id="both-follows",
        says=(
            "Trained on both kinds, it follows more than 9 in 10 contradicting prompts,"
            " though no prompt of its training contradicted its weights."
        ),
        value=lambda m: m["both"]["flipped_prompt"],
        holds=lambda v: v > 0.9,
        digits=3,
    ),
    Claim(
        id="both-remembers",
        says=(
            "Trained on both kinds, it still knows the usual label from memory in more "
            "than 95 of 100 prompts that do not show it."
        ),
        value=lambda m: m["both"]["silent_memory"],
        holds=lambda v: v > 0.95,
        digits=3,
    ),
    Claim(
        id="side-by-side",
        says=(
            "It gives the usual label of an item that is not shown in more than 9 of 10"
            " prompts even where all pairs that are shown have wrong labels."
        ),
        value=lambda m: m["both"]["silent_flipped"],
        holds=lambda v: v > 0.9,
        digits=3,
    ),
    Claim(
        id="nothing-to-remember",
        says=(
            "Trained on new labels only, it answers fewer than 1 in 10 prompts that do "
            "not show the answer as the usual labels would have it: near chance, 1/32."
        ),
        value=lambda m: m["context"]["silent_memory"],
        holds=lambda v: v < 0.1,
    ),
    Claim(
        id="lie",
        says=(
            "Trained on both kinds, it follows a single wrong pair among seven right "
            "ones in more than 85 of 100 prompts."
        ),
        value=lambda m: m["both"]["lie_prompt"],
        holds=lambda v: v > 0.85,
        digits=3,
    ),
    Claim(
        id="new-items",
        says=(
            "Trained on both kinds, it reads the label of an item that it has never "
            "seen in more than 95 of 100 prompts."
        ),
        value=lambda m: m["both"]["new_items"],
        holds=lambda v: v > 0.95,
        digits=3,
    ),
    Claim(
        id="syntactic",
        says=(
            "With every symbol unseen, it still gives the label of the prompt in more "
            "than 4 of 10: three times what naming any label of the prompt would give."
        ),
        value=lambda m: m["both"]["all_new"],
        holds=lambda v: v > 0.4,
    ),
    Claim(
        id="symbols-cost",
        says=(
            "Unseen labels cost it accuracy: more than 0.2 of it where the items are "
            "unseen too."
        ),
        value=lambda m: m["both"]["new_items"] - m["both"]["all_new"],
        holds=lambda v: v > 0.2,
        unit="of answers",
    ),
]


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"contradiction": draw_contradiction(runs), "prompts": draw_prompts(runs)}


# --8<-- [end:draw]

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
