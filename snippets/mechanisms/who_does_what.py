"""What does attention do in a transformer, and what does the MLP do?

Source: elhage2021 for the residual stream as a sum, and for attention as the part that
moves information between tokens. The task, dominoes, is ours: four questions at each
tile, of which one needs nothing, one attention, one the MLP, and one both.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    equals,
)
from snippets.icl.networks.positional_encodings import Learned, Nowhere
from snippets.icl.networks.self_attention import (
    SelfAttention,
    centred,
    layer_norm,
    spread,
)
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    missing: str = ""  # a part that is absent from the first step on
    n_values: int = 7  # a half tile shows 0 to 6
    n_tiles: int = 12
    d_model: int = 64
    n_heads: int = 2
    d_mlp: int = 128
    batch: int = 64
    n_steps: int = 300
    learning_rate: float = 3e-3
    warm_up: int = 30
    n_test: int = 512  # rows of tiles


PRESETS = {
    "laptop": {
        "whole": Config(),
        "no-attention": Config(missing="attention"),
        "no-mlp": Config(missing="MLP"),
    },
}

QUESTIONS = ("own half", "neighbour's half", "own sum", "touching sum")
PARTS = ("attention", "MLP")  # what can be switched off


# --8<-- [start:task]
def draw_tiles(
    n_rows: int, n_tiles: int, n_values: int, generator: Generator
) -> Int[Tensor, "row tile 2"]:
    """Rows of dominoes: two halves each, all values equally likely."""
    return torch.randint(n_values, (n_rows, n_tiles, 2), generator=generator)


def answers(
    tiles: Int[Tensor, "row tile 2"], n_values: int
) -> Int[Tensor, "row tile_after_first 4"]:
    """The answers to the four questions at each tile but the first."""
    left, right = tiles.unbind(-1)
    own_left, own_right, neighbour = left[:, 1:], right[:, 1:], right[:, :-1]
    return torch.stack(
        [
            own_right,
            neighbour,
            (own_left + own_right) % n_values,
            (neighbour + own_left) % n_values,  # the two halves that touch
        ],
        -1,
    )


# --8<-- [end:task]


# --8<-- [start:network]
class Transformer(nn.Module):
    """One layer: attention, then an MLP. Four answers are read off each token."""

    def __init__(self, config: Config, generator: Generator) -> None:
        super().__init__()
        n_values, d_model, d_mlp = config.n_values, config.d_model, config.d_mlp

        def normal(*shape: int, std: float) -> nn.Parameter:
            return nn.Parameter(std * torch.randn(*shape, generator=generator))

        self.W_E = normal(2, n_values, d_model, std=1.0)  # left halves, right halves
        self.positions = Learned(config.n_tiles, d_model, generator)
        self.attention = SelfAttention(d_model, config.n_heads, generator)
        self.W_in = normal(d_model, d_mlp, std=d_model**-0.5)
        self.b_in = nn.Parameter(torch.zeros(d_mlp))
        self.W_out = normal(d_mlp, d_model, std=d_mlp**-0.5)
        self.W_U = normal(d_model, len(QUESTIONS) * n_values, std=d_model**-0.5)

    def forward(
        self, tiles: Int[Tensor, "row tile 2"], off: Collection[str] = ()
    ) -> tuple[
        Float[Tensor, "row tile 4 value"], dict[str, Float[Tensor, "row tile d_model"]]
    ]:
        """Logits, and what each part wrote. The parts in `off` write nothing."""
        self.check(tiles, off)
        left, right = tiles.unbind(-1)
        writes = {"left half": self.W_E[0, left], "right half": self.W_E[1, right]}
        writes["position"] = self.positions.add(torch.zeros_like(writes["left half"]))
        x = writes["left half"] + writes["right half"] + writes["position"]

        by_head, _ = self.attention(layer_norm(x), Nowhere())
        for head, written in enumerate(by_head.unbind(1), 1):
            writes[f"head {head}"] = 0 * written if "attention" in off else written
            x = x + writes[f"head {head}"]

        hidden = (layer_norm(x) @ self.W_in + self.b_in).relu()
        writes["MLP"] = 0 * x if "MLP" in off else hidden @ self.W_out
        x = x + writes["MLP"]
        return self.unembed(layer_norm(x)), writes

    def unembed(
        self, x: Float[Tensor, "row tile d_model"]
    ) -> Float[Tensor, "row tile 4 value"]:
        return (x @ self.W_U).unflatten(-1, (len(QUESTIONS), -1))

    # --8<-- [end:network]

    def check(self, tiles: Tensor, off: Collection[str]) -> None:
        """Raise ValueError, in words, for what the network cannot read or do."""
        n_values = self.W_E.shape[1]
        if tiles.numel() == 0:
            raise ValueError("the prompt is empty: give at least one tile")
        least, most = int(tiles.min()), int(tiles.max())
        if least < 0 or most >= n_values:
            raise ValueError(
                f"halves run from {least} to {most}; this network knows 0 to "
                f"{n_values - 1}"
            )
        for part in off:
            if part not in PARTS:
                raise ValueError(
                    f"there is no part '{part}': choose from {', '.join(PARTS)}"
                )


# --8<-- [start:decompose]
def contributions(
    network: Transformer, writes: dict[str, Float[Tensor, "row tile d_model"]]
) -> dict[str, Float[Tensor, "row tile 4 value"]]:
    """The part of each logit that comes from each write. They add up to the logits.

    The final norm takes off the mean, which is linear, and divides by one number for
    each token. That number is computed once, from the whole stream.
    """
    divisor = spread(torch.stack(list(writes.values())).sum(0))
    return {
        name: network.unembed(centred(write) / divisor)
        for name, write in writes.items()
    }


def lift(
    logits: Float[Tensor, "row tile 4 value"],
    right: Int[Tensor, "row tile_after_first 4"],
) -> Float[Tensor, "4"]:
    """How far the right answer's logit lies above the mean of the others: the mean over
    tiles, for each question."""
    logits = logits[:, 1:]
    n_values = logits.shape[-1]
    its_own = logits.gather(-1, right[..., None])[..., 0]
    others = (logits.sum(-1) - its_own) / (n_values - 1)
    return (its_own - others).mean((0, 1))


# --8<-- [end:decompose]


# --8<-- [start:ablate]
def accuracy(
    network: Transformer, tiles: Int[Tensor, "row tile 2"], off: Collection[str] = ()
) -> np.ndarray:
    """Share of right answers to each question, with some parts switched off."""
    right = answers(tiles, network.W_E.shape[1])
    guess = network(tiles, off)[0][:, 1:].argmax(-1)
    return (guess == right).double().mean((0, 1)).numpy()


def moved_by_neighbours(
    network: Transformer, tiles: Int[Tensor, "row tile 2"], off: Collection[str] = ()
) -> float:
    """Replace all tiles but the last: how far the last tile's logits move, at most."""
    other = tiles.flip(0)
    other[:, -1] = tiles[:, -1]
    before, after = network(tiles, off)[0], network(other, off)[0]
    return (before - after)[:, -1].abs().max().item()


# --8<-- [end:ablate]


def train(config: Config, seed: int) -> Transformer:
    """A network trained on fresh rows of tiles, without the part that is missing."""
    generator = torch.Generator().manual_seed(seed)
    network = Transformer(config, generator)
    off = [config.missing] if config.missing else []
    optimizer = torch.optim.Adam(
        network.parameters(), config.learning_rate, (0.9, 0.98)
    )
    for step in steps(config.n_steps):
        warm, left = (step + 1) / config.warm_up, 1 - step / config.n_steps
        optimizer.param_groups[0]["lr"] = config.learning_rate * min(1, warm, 2 * left)
        tiles = draw_tiles(config.batch, config.n_tiles, config.n_values, generator)
        logits, _ = network(tiles, off)
        right = answers(tiles, config.n_values)
        loss = F.cross_entropy(logits[:, 1:].flatten(0, 2), right.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.requires_grad_(False)


def run(config: Config, seed: int) -> Measurements:
    network = train(config, seed).double()  # 64 bits: the decomposition shows as exact
    generator = torch.Generator().manual_seed(seed + 10**6)  # rows not trained on
    tiles = draw_tiles(config.n_test, config.n_tiles, config.n_values, generator)
    off = [config.missing] if config.missing else []
    logits, writes = network(tiles, off)
    parts = contributions(network, writes)
    total = torch.stack(list(parts.values())).sum(0)
    right = answers(tiles, config.n_values)
    _, pattern = network.attention(layer_norm(embedded(writes)), Nowhere())
    previous = pattern.diagonal(-1, 2, 3).mean((0, 2)).sort().values  # of each head
    return {
        "accuracy": accuracy(network, tiles, off),
        "accuracy_no_attention": accuracy(network, tiles, [*off, "attention"]),
        "accuracy_no_mlp": accuracy(network, tiles, [*off, "MLP"]),
        "decomposition_error": (
            (total - logits).abs().max() / logits.abs().max()
        ).item(),
        "lift": np.stack([lift(part, right).numpy() for part in parts.values()]),
        "previous_best": previous[-1].item(),
        "previous_other": previous[0].item(),
        "moved": moved_by_neighbours(network, tiles, off),
        "moved_no_attention": moved_by_neighbours(network, tiles, [*off, "attention"]),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


def embedded(writes: dict[str, Tensor]) -> Float[Tensor, "row tile d_model"]:
    return writes["left half"] + writes["right half"] + writes["position"]


WRITERS = ("left half", "right half", "position", "attention", "MLP")


def lift_by_writer(m: Measurements) -> np.ndarray:
    """(writer, question): the heads taken together as attention."""
    lift = m["lift"]
    return np.concatenate([lift[:3], lift[3:-1].sum(0, keepdims=True), lift[-1:]])


def share(m: Measurements, writer: str, question: str) -> float:
    """Which part of a question's lift a writer has written."""
    lift = lift_by_writer(m)[:, QUESTIONS.index(question)]
    return float(lift[WRITERS.index(writer)] / lift.sum())


def at(m: Measurements, name: str, *questions: str) -> list[float]:
    return [float(m[name][QUESTIONS.index(question)]) for question in questions]


# fmt: off
CLAIMS = [
    Claim("learns", lambda m: float(m["whole"]["accuracy"].min()), above(0.98), "",
          "The whole network answers each question right in over 98 of 100 tiles.",
          digits=3),
    Claim("adds-up", lambda m: float(m["whole"]["decomposition_error"]), below(1e-12), "of the largest logit",
          "The parts written by embeddings, position, heads and MLP add up to the logits, within a millionth "
          "of a millionth.",
          Reported("elhage2021", "section Attention Heads are Independent and Additive",
                   "heads each add their output to the residual stream", SMALLER)),
    Claim("attention-writes", lambda m: share(m["whole"], "attention", "neighbour's half"), above(0.7), "of it",
          "Attention writes over seven tenths of the answer to the neighbour's half."),
    Claim("mlp-writes", lambda m: min(share(m["whole"], "MLP", q) for q in QUESTIONS[2:]), above(0.9), "of them",
          "The MLP writes over nine tenths of the answers to both sums."),
    Claim("indirect", lambda m: abs(share(m["whole"], "attention", "touching sum")), below(0.1), "of it",
          "Attention writes under a tenth of the answer to the touching sum."),
    Claim("deaf", lambda m: float(m["whole"]["moved_no_attention"]), equals(0.0), "",
          "Without attention, other tiles do not move a logit at all."),
    Claim("attention-off", lambda m: max(at(m["whole"], "accuracy_no_attention", QUESTIONS[1], QUESTIONS[3])),
          below(0.18), "",
          "Without attention both questions about the neighbour are answered at chance: at most 18 in 100 "
          "are right.",
          Reported("elhage2021", "section Attention Heads as Information Movement",
                   "the fundamental action of attention heads is moving information", SMALLER),
          digits=3),
    Claim("attention-off-keeps", lambda m: min(at(m["whole"], "accuracy_no_attention", QUESTIONS[0], QUESTIONS[2])),
          above(0.7), "",
          "Without attention the questions about the own tile are still answered.",
          digits=3),
    Claim("mlp-off", lambda m: max(at(m["whole"], "accuracy_no_mlp", *QUESTIONS[2:])), below(0.25), "",
          "Without the MLP fewer than 1 in 4 of either sum are right."),
    Claim("mlp-off-keeps", lambda m: at(m["whole"], "accuracy_no_mlp", QUESTIONS[1])[0], above(0.9), "",
          "Without the MLP the neighbour's half is still right in 9 of 10."),
    Claim("mlp-off-own", lambda m: at(m["whole"], "accuracy_no_mlp", QUESTIONS[0])[0], above(0.5), "",
          "Without the MLP the own half is right more often than not."),
    Claim("never-attention", lambda m: max(at(m["no-attention"], "accuracy", QUESTIONS[1], QUESTIONS[3])),
          below(0.18), "",
          "Trained without attention, a network is at chance on both questions about the neighbour."),
    Claim("never-mlp", lambda m: at(m["no-mlp"], "accuracy", QUESTIONS[2])[0], above(0.3), "",
          "Trained without an MLP, attention alone learns part of the own sum."),
    Claim("never-mlp-touching", lambda m: at(m["no-mlp"], "accuracy", QUESTIONS[3])[0], below(0.3), "",
          "But not the touching sum: fewer than 3 in 10 are right."),
]
# fmt: on
