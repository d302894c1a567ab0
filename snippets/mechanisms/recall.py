"""Which architectures can look up, in their context, what went with a key?

Eight networks in one frame, with the same number of parameters, on multi-query
associative recall: accuracy against the number of stored pairs.

Source: arora2023, the task and the question; there attention solves it and gated
convolutions need a width that grows. What differs: a pair is one token, 64 keys instead
of thousands, networks of 25 thousand parameters, minutes of training.

Cost: up to 180 core-seconds instead of 120. Eight architectures are trained, each with
three learning rates for a part of the way.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from snippets import style
from snippets.contract import SMALLER, Claim, Measurements, Reported, above, below
from snippets.icl.networks.same_block import ARCHITECTURES, build, count_parameters
from snippets.icl.tasks.recall import Recall, draw_recall
from snippets.icl.training.tuned_training import Schedule, train


@dataclass(frozen=True)
class Config:
    architecture: str
    d_model: int = 32
    n_heads: int = 2
    n_blocks: int = 2
    n_parameters: int = 24 * 32**2  # of the blocks: 12 d_model^2 each
    n_keys: int = 64
    n_values: int = 16
    n_queries: int = 16
    train_pairs: tuple[int, ...] = (4, 8, 16, 32)
    test_pairs: tuple[int, ...] = (2, 4, 8, 12, 16, 24, 32)
    batch: int = 16
    n_held_out: int = 64  # prompts of each size, when a rate is chosen
    n_test: int = 256  # prompts of each size, at the end
    schedule: Schedule = field(
        default_factory=lambda: Schedule((0.003, 0.01, 0.03), 100, 400)
    )


def as_in_zoology(architecture: str) -> Config:
    """Its vocabulary, width and rates, and its numbers of pairs up to 16."""
    return Config(
        architecture,
        d_model=128,
        n_heads=1,
        n_parameters=24 * 128**2,
        n_keys=4096,
        n_values=4096,
        train_pairs=(4, 8, 16),
        test_pairs=(4, 8, 16, 32),
        batch=256,
        schedule=Schedule((1e-4, 4.6e-4, 2.2e-3, 1e-2), 25_000, 25_000),
    )


LONGER = Schedule((0.003,), n_tune=1, n_steps=1300)  # one rate, three times the steps
PRESETS = {
    "laptop": {  # each cell is trained by itself
        "decoder": Config("decoder"),
        "encoder-decoder": Config("encoder-decoder"),
        "prefix-lm": Config("prefix-lm"),
        "lstm": Config("lstm"),
        "convolution": Config("convolution"),
        "linear-attention": Config("linear-attention"),
        "deltanet": Config("deltanet"),
        "titans": Config("titans"),
        "lstm-longer": Config("lstm", schedule=LONGER),
    },
    "paper": {
        "decoder": as_in_zoology("decoder"),
        "encoder-decoder": as_in_zoology("encoder-decoder"),
        "prefix-lm": as_in_zoology("prefix-lm"),
        "lstm": as_in_zoology("lstm"),
        "convolution": as_in_zoology("convolution"),
        "linear-attention": as_in_zoology("linear-attention"),
        "deltanet": as_in_zoology("deltanet"),
        "titans": as_in_zoology("titans"),
    },
}


# --8<-- [start:network]
class RecallNetwork(nn.Module):
    """Embeds pairs and queries, and reads a value off each query."""

    def __init__(self, config: Config, generator: Generator) -> None:
        super().__init__()
        d = config.d_model

        def normal(rows: int, std: float = 1.0) -> nn.Parameter:
            return nn.Parameter(std * torch.randn(rows, d, generator=generator))

        self.keys, self.values = normal(config.n_keys), normal(config.n_values)
        self.kind = normal(2)  # a pair or a query
        self.unembed = normal(config.n_values, d**-0.5)
        self.blocks = build(
            config.architecture,
            d,
            config.n_heads,
            config.n_blocks,
            config.n_parameters,
            generator,
        )

    def forward(self, prompts: Recall) -> Float[Tensor, "batch m n_values"]:
        pairs = self.keys[prompts.keys] + self.values[prompts.values] + self.kind[0]
        queries = self.keys[prompts.queries] + self.kind[1]
        return self.blocks(pairs, queries) @ self.unembed.T


def loss_of(network: nn.Module, prompts: Recall) -> Tensor:
    return F.cross_entropy(network(prompts).flatten(0, 1), prompts.answers.flatten())


def accuracy_of(network: nn.Module, prompts: Recall) -> float:
    return (network(prompts).argmax(-1) == prompts.answers).float().mean().item()


# --8<-- [end:network]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = Generator().manual_seed(seed)

    def draw(batch: int, n_pairs: int, generator: Generator) -> Recall:
        sizes = (config.n_queries, config.n_keys, config.n_values)
        return draw_recall(batch, n_pairs, *sizes, generator)

    def loss(network: nn.Module, generator: Generator) -> Tensor:
        sizes = config.train_pairs
        which = int(torch.randint(len(sizes), (), generator=generator))
        return loss_of(network, draw(config.batch, sizes[which], generator))

    held_out = [draw(config.n_held_out, n, generator) for n in config.train_pairs]
    tests = [draw(config.n_test, n, generator) for n in config.test_pairs]
    network = RecallNetwork(config, generator)
    trained, tuning = train(
        network,
        loss,
        lambda network: float(np.mean([loss_of(network, p).item() for p in held_out])),
        config.schedule,
        seed,
    )
    with torch.no_grad():
        accuracy = [accuracy_of(trained, prompts) for prompts in tests]
    return {
        "n_pairs": np.array(config.test_pairs),
        "accuracy": np.array(accuracy),
        "accuracy_at_4": accuracy[config.test_pairs.index(4)],
        "accuracy_at_16": accuracy[config.test_pairs.index(16)],
        "accuracy_at_32": accuracy[config.test_pairs.index(32)],
        "tuning_loss": np.array(tuning),
        "rate": config.schedule.rates[int(np.argmin(tuning))],
        "n_parameters": count_parameters(network.blocks),
    }


# --8<-- [end:run]


ATTENTION = ("decoder", "encoder-decoder", "prefix-lm")
MATRICES = ("linear-attention", "deltanet", "titans")
OTHERS = ("lstm", "convolution")


def at(m: Measurements, cell: str, n_pairs: int) -> float:
    """Accuracy of an architecture with so many pairs stored."""
    found = m[cell]["accuracy"][m[cell]["n_pairs"] == n_pairs]
    return float(found[0])


def least(m: Measurements, cells: tuple[str, ...], n_pairs: int) -> float:
    return min(at(m, cell, n_pairs) for cell in cells)


def most(m: Measurements, cells: tuple[str, ...], n_pairs: int) -> float:
    return max(at(m, cell, n_pairs) for cell in cells)


def size_spread(m: Measurements) -> float:
    """How far the largest network is above the smallest, as a share of it."""
    sizes = [m[cell]["n_parameters"] for cell in ARCHITECTURES]
    return max(sizes) / min(sizes) - 1


# fmt: off
CLAIMS = [
    Claim("matched", lambda m: 100 * size_spread(m), below(0.2), "per cent",
          "The largest of the eight is less than 0.2 per cent above the smallest."),
    Claim("attention", lambda m: least(m, ATTENTION, 32), above(0.95), "",
          "Each of the three networks with softmax attention recalls more than 95 in 100 with 32 pairs "
          "stored.",
          digits=3),
    Claim("most", lambda m: least(m, ATTENTION, 32) - most(m, MATRICES + OTHERS, 32), above(0.05), "",
          "With 32 pairs each of them recalls more than any other network, by more than 5 in 100.",
          Reported("arora2023", "abstract",
                   "attention outperforms gated convolutions by a large margin in recall", SMALLER)),
    Claim("few", lambda m: least(m, MATRICES, 4), above(0.9), "",
          "With 4 pairs each of three matrix memories recalls more than 9 in 10.",
          digits=3),
    Claim("full", lambda m: min(at(m, cell, 4) - at(m, cell, 32) for cell in MATRICES), above(0.05), "",
          "Each of the three loses more than 5 in 100 from 4 pairs to 32.",
          Reported("schlag2021", "abstract", "a limit to what linearised attention can hold", SMALLER)),
    Claim("alike", lambda m: most(m, MATRICES, 32) - least(m, MATRICES, 32), below(0.25), "",
          "With 32 pairs the three lie within 0.25 of each other."),
    Claim("vector", lambda m: most(m, OTHERS, 2), below(0.5), "",
          "With 2 pairs LSTM and convolution do not reach the half that naming any stored value would give."),
    Claim("longer", lambda m: at(m, "lstm-longer", 4), below(0.5), "",
          "With three times the steps the LSTM still recalls less than half with 4 pairs."),
    Claim("some", lambda m: least(m, tuple(ARCHITECTURES), 4), above(0.094), "",
          "With 4 pairs each of the eight is above chance, 0.0625, by half of it or more.",
          Reported("lee2024", "abstract", "all the considered architectures can perform in-context learning", SMALLER)),
]
# fmt: on

GROUPS = {  # a panel each
    "attention, vector, window": (*ATTENTION, *OTHERS),
    "matrix memories": ("decoder", *MATRICES),
}
NAMES = {
    "decoder": "decoder-only",
    "encoder-decoder": "encoder-decoder",
    "prefix-lm": "prefix-LM",
    "lstm": "LSTM",
    "convolution": "dilated convolution",
    "linear-attention": "linear attention",
    "deltanet": "DeltaNet",
    "titans": "Titans-style memory",
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"accuracy": draw_accuracy(runs), "tuning": draw_tuning(runs)}


def draw_accuracy(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.6, sharex=True)
    for ax, (title, cells) in zip(axes[:, 0], GROUPS.items()):
        for index, cell in enumerate(cells):
            x = runs[0][cell]["n_pairs"]
            ys = [m[cell]["accuracy"] for m in runs]
            style.seeds_and_median(ax, x, ys, index, NAMES[cell])
            if cell == "lstm":
                longer = [m["lstm-longer"]["accuracy"] for m in runs]
                label = "LSTM, three times as long"
                style.seeds_and_median(ax, x, longer, index, label, linestyle="--")
        ax.plot(x, 1 / x, color=style.ink(), linewidth=0.9, ls=":")
        style.level(ax, 1 / PRESETS["laptop"]["decoder"].n_values, "chance", below=True)
        ax.set(ylabel="accuracy", ylim=(-0.05, 1.04))
        ax.set_title(title)
    for ax, place in zip(axes[:, 0], ((1, 0.92), (1, 0.62))):
        ax.legend(loc="upper right", bbox_to_anchor=place)
    axes[-1, 0].annotate("any stored value", (4, 0.27), fontsize=8.5)
    axes[-1, 0].set_xscale("log", base=2)
    ticks = PRESETS["laptop"]["decoder"].test_pairs
    axes[-1, 0].set_xticks(ticks, [str(n) for n in ticks])
    axes[-1, 0].set(xlabel="pairs stored")
    return figure


def draw_tuning(runs: list[Measurements]) -> Figure:
    """Held-out loss of each rate when one was chosen, and how often it was."""
    cells = ARCHITECTURES
    rates = PRESETS["laptop"]["decoder"].schedule.rates
    losses = np.array([[m[cell]["tuning_loss"] for cell in cells] for m in runs])
    shown = np.median(losses, 0)  # (architecture, rate)
    chosen = (losses.argmin(-1)[..., None] == np.arange(len(rates))).sum(0)
    figure, axes = style.panels(1, height=3.4)
    ax = axes[0, 0]
    least, most = 0.0, float(np.log(PRESETS["laptop"]["decoder"].n_values))
    ax.imshow(shown, vmin=least, vmax=most, cmap="viridis_r", aspect="auto")
    for row, column in np.ndindex(*shown.shape):
        ax.text(
            column,
            row,
            f"{shown[row, column]:.2f}   {chosen[row, column]} of {len(runs)}",
            ha="center",
            va="center",
            color="white" if shown[row, column] > most / 2 else "black",
            fontsize=9,
        )
    ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    ax.set_yticks(range(len(cells)), [NAMES[cell] for cell in cells])
    ax.set_xlabel("learning rate")
    ax.grid(False)
    return figure
