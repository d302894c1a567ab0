"""Which architectures can fit a line to the examples in their context?

The eight networks of `recall`, on in-context linear regression: the error at a new
input against the number of examples, beside least squares.

Source: garg2022, the task; lee2024 compares thirteen architectures on it and finds that
all can. What differs: 3 dimensions instead of 20, several queries to a prompt, networks
of 25 thousand parameters, minutes of training.

Cost: up to 180 core-seconds instead of 120. Eight architectures are trained, each with
three learning rates for a part of the way.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from snippets import style
from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    equals,
)
from snippets.icl.networks.same_block import ARCHITECTURES, build, count_parameters
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory import oracles
from snippets.icl.training.tuned_training import Schedule, train


@dataclass(frozen=True)
class Config:
    architecture: str
    d_model: int = 32
    n_heads: int = 2
    n_blocks: int = 2
    n_parameters: int = 24 * 32**2  # of the blocks: 12 d_model^2 each
    d: int = 3
    n_queries: int = 12
    train_examples: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12)
    test_examples: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 12)
    batch: int = 16
    n_held_out: int = 64  # prompts of each size, when a rate is chosen
    n_test: int = 400  # prompts of each size, at the end
    schedule: Schedule = field(
        default_factory=lambda: Schedule((0.003, 0.01, 0.03), 100, 450)
    )


def as_in_lee(architecture: str) -> Config:
    """Width, depth, rates, batch and steps of the source, in 20 dimensions."""
    return Config(
        architecture,
        d_model=64,
        n_blocks=8,
        n_parameters=8 * 12 * 64**2,
        d=20,
        n_queries=32,
        train_examples=tuple(range(1, 33)),
        test_examples=(1, 3, 6, 12, 20, 32),
        batch=128,
        schedule=Schedule((1e-3, 3.2e-4, 1e-4), 100_000, 100_000),
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
        "convolution-longer": Config("convolution", schedule=LONGER),
    },
    "paper": {
        "decoder": as_in_lee("decoder"),
        "encoder-decoder": as_in_lee("encoder-decoder"),
        "prefix-lm": as_in_lee("prefix-lm"),
        "lstm": as_in_lee("lstm"),
        "convolution": as_in_lee("convolution"),
        "linear-attention": as_in_lee("linear-attention"),
        "deltanet": as_in_lee("deltanet"),
        "titans": as_in_lee("titans"),
    },
}


# --8<-- [start:network]
class RegressionNetwork(nn.Module):
    """Embeds examples (x, y) and queries x, and reads a number off each query."""

    def __init__(self, config: Config, generator: Generator) -> None:
        super().__init__()
        d, d_model = config.d, config.d_model

        def normal(rows: int, std: float = 1.0) -> nn.Parameter:
            return nn.Parameter(std * torch.randn(rows, d_model, generator=generator))

        self.example, self.query = normal(d + 1), normal(d)
        self.kind = normal(2)  # an example or a query
        self.unembed = normal(1, d_model**-0.5)
        self.blocks = build(
            config.architecture,
            d_model,
            config.n_heads,
            config.n_blocks,
            config.n_parameters,
            generator,
        )

    def forward(self, prompts: Prompts, n: int) -> Float[Tensor, "batch m"]:
        """The first n inputs are examples; the others are queries."""
        pairs = torch.cat([prompts.x, prompts.y[..., None]], -1)[:, :n]
        examples = pairs @ self.example + self.kind[0]
        queries = prompts.x[:, n:] @ self.query + self.kind[1]
        return (self.blocks(examples, queries) @ self.unembed.T)[..., 0]


def loss_of(network: nn.Module, prompts: Prompts, n: int) -> Float[Tensor, ""]:
    """Mean squared error at the queries, in units of the variance of y, which is d."""
    off = network(prompts, n) - prompts.y[:, n:]
    return off.square().mean() / prompts.x.shape[-1]


def error_of(answers: Float[Tensor, "batch m"], prompts: Prompts, n: int) -> float:
    """Mean squared error at the queries as a share of what the answer 0 has there."""
    y = prompts.y[:, n:]
    return ((answers - y).square().mean() / y.square().mean()).item()


# --8<-- [end:network]


def run(config: Config, seed: int) -> Measurements:
    generator = Generator().manual_seed(seed)

    def draw(batch: int, n: int, generator: Generator) -> tuple[Prompts, int]:
        inputs = n + config.n_queries  # draw_prompts adds one
        return draw_prompts(batch, inputs - 1, config.d, generator), n

    def loss(network: nn.Module, generator: Generator) -> Tensor:
        sizes = config.train_examples
        which = int(torch.randint(len(sizes), (), generator=generator))
        return loss_of(network, *draw(config.batch, sizes[which], generator))

    held_out = [draw(config.n_held_out, n, generator) for n in config.train_examples]
    tests = [draw(config.n_test, n, generator) for n in config.test_examples]
    network = RegressionNetwork(config, generator)
    trained, tuning = train(
        network,
        loss,
        lambda network: float(np.mean([loss_of(network, *p).item() for p in held_out])),
        config.schedule,
        seed,
    )
    with torch.no_grad():
        errors = [error_of(trained(*test), *test) for test in tests]
    fitted = [error_of(least_squares_answers(*test), *test) for test in tests]
    return {
        "n_examples": np.array(config.test_examples),
        "error": np.array(errors),
        "least_squares": np.array(fitted),
        "error_at_3": errors[config.test_examples.index(3)],
        "error_at_12": errors[config.test_examples.index(12)],
        "tuning_loss": np.array(tuning),
        "rate": config.schedule.rates[int(np.argmin(tuning))],
        "n_parameters": count_parameters(network.blocks),
    }


def least_squares_answers(prompts: Prompts, n: int) -> Float[Tensor, "batch m"]:
    w = oracles.least_squares(prompts.x[:, :n], prompts.y[:, :n])
    return (prompts.x[:, n:] @ w[..., None])[..., 0]


ATTENTION = ("decoder", "encoder-decoder", "prefix-lm")
CORRECTING = ("deltanet", "titans")
MATRICES = ("linear-attention", *CORRECTING)
OTHERS = ("lstm", "convolution")
LONG = ("lstm-longer", "convolution-longer")


def at(m: Measurements, cell: str, n: int, name: str = "error") -> float:
    """Error of an architecture, or of least squares, after so many examples."""
    found = m[cell][name][m[cell]["n_examples"] == n]
    return float(found[0])


def most(m: Measurements, cells: tuple[str, ...], n: int) -> float:
    return max(at(m, cell, n) for cell in cells)


def least(m: Measurements, cells: tuple[str, ...], n: int) -> float:
    return min(at(m, cell, n) for cell in cells)


# fmt: off
CLAIMS = [
    Claim("all", lambda m: most(m, (*ATTENTION, *MATRICES, *LONG), 12), below(0.9), "",
          "After 12 examples each of the eight errs less than nine tenths of what the answer 0 does, LSTM "
          "and convolution with three times the steps.",
          Reported("lee2024", "abstract", "all the considered architectures can perform in-context learning", SMALLER)),
    Claim("slow", lambda m: at(m, "convolution", 12), above(0.7), "",
          "In the steps that the others got the convolution's error is still above 0.7 after 12 examples."),
    Claim("lstm-longer", lambda m: at(m, "lstm-longer", 12), below(0.3), "",
          "With three times the steps the LSTM's error after 12 examples is below 0.3."),
    Claim("attention", lambda m: most(m, ("decoder", "prefix-lm"), 12), below(0.25), "",
          "After 12 examples decoder-only and prefix-LM have errors below 0.25."),
    Claim("correcting", lambda m: most(m, CORRECTING, 12) / least(m, ATTENTION, 12), below(0.9), "of the error",
          "After 12 examples DeltaNet and the Titans-style memory both err less than nine tenths of what the "
          "best network with softmax attention does.",
          Reported("lee2024", "abstract",
                   "several attention alternatives are sometimes competitive or better", SMALLER)),
    Claim("delta-linear", lambda m: at(m, "linear-attention", 12) / at(m, "deltanet", 12),
          above(2), "times the error",
          "Linear attention errs more than twice as much as DeltaNet."),
    Claim("one", lambda m: at(m, "deltanet", 1) - at(m, "deltanet", 1, "least_squares"), equals(0, 0.1), "",
          "After one example DeltaNet's error is within 0.1 of least squares."),
    Claim("no-choice", lambda m: at(m, "encoder-decoder", 1), above(0.85), "",
          "After one example the encoder-decoder's error is above 0.85."),
    Claim("no-elbow", lambda m: least(m, tuple(PRESETS["laptop"]), 3), above(0.1), "",
          "After 3 examples, where least squares is exact, no network has an error below 0.1."),
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
    return {"error": draw_error(runs), "tuning": draw_tuning(runs)}


def draw_error(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.8, sharex=True)
    fitted = np.median([m["decoder"]["least_squares"] for m in runs], 0)
    for ax, (title, cells) in zip(axes[:, 0], GROUPS.items()):
        for index, cell in enumerate(cells):
            x = runs[0][cell]["n_examples"]
            ys = [m[cell]["error"] for m in runs]
            style.seeds_and_median(ax, x, ys, index, NAMES[cell])
            if cell in OTHERS:
                longer = [m[f"{cell}-longer"]["error"] for m in runs]
                label = f"_{cell}, longer"
                style.seeds_and_median(ax, x, longer, index, label, linestyle="--")
        ax.plot(
            x,
            np.maximum(fitted, 1e-4),
            color=style.ink(),
            linewidth=1.2,
            ls=":",
            label="_ols",
        )
        ax.set(ylabel="error, relative to answer 0", yscale="log", ylim=(0.012, 1.3))
        ax.set_title(title)
    axes[0, 0].legend(loc="lower right", ncols=2)
    axes[1, 0].legend(loc="upper right", ncols=2)
    axes[1, 0].annotate("least squares", (2.5, 0.018), fontsize=8.5)
    axes[-1, 0].set(xlabel="examples, n")
    return figure


def draw_tuning(runs: list[Measurements]) -> Figure:
    """Held-out error of each rate when one was chosen, and how often it was."""
    cells = ARCHITECTURES
    rates = PRESETS["laptop"]["decoder"].schedule.rates
    losses = np.array([[m[cell]["tuning_loss"] for cell in cells] for m in runs])
    shown = np.median(losses, 0)  # (architecture, rate)
    chosen = (losses.argmin(-1)[..., None] == np.arange(len(rates))).sum(0)
    figure, axes = style.panels(1, height=3.4)
    ax = axes[0, 0]
    least, most = 0.0, 1.0
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
