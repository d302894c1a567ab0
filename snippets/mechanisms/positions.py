"""Which positional encodings let attention find the token before, and at what length?

Source: vaswani2017, section 3.5 (sinusoidal); su2021 (rotary); press2022 (ALiBi);
haviv2022 (none at all, in causal language models). The task is ours: at each token,
name the token before it. Attention only, one layer and two; five encodings each.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.contract import Claim, Measurements, above, below, between, equals
from snippets.icl.networks.parts import normal
from snippets.icl.networks.positional_encodings import (
    ALiBi,
    Learned,
    Nowhere,
    Rotary,
    Sinusoidal,
)
from snippets.icl.networks.self_attention import SelfAttention, layer_norm
from snippets.icl.streams import streams
from snippets.icl.training.fresh_batches import train, trained


@dataclass(frozen=True)
class Config:
    encoding: str  # none, learned, sinusoidal, rotary or alibi
    n_layers: int = 1
    rotary_base: float = 10_000.0  # the larger, the slower all hands but the first
    n_symbols: int = 16
    n_tokens: int = 16  # in training, with the start token
    n_tokens_test: int = 64
    d_model: int = 32
    n_heads: int = 4
    batch: int = 32
    n_steps: int = 240
    learning_rate: float = 5e-3
    warm_up: int = 30
    n_test: int = 256  # sequences


PRESETS = {
    "laptop": {
        "none-1": Config("none"),
        "learned-1": Config("learned"),
        "sinusoidal-1": Config("sinusoidal"),
        "rotary-1": Config("rotary"),
        "alibi-1": Config("alibi"),
        "slow-rotary-1": Config("rotary", rotary_base=1e6),
        "none-2": Config("none", n_layers=2),
        "learned-2": Config("learned", n_layers=2),
        "sinusoidal-2": Config("sinusoidal", n_layers=2),
        "rotary-2": Config("rotary", n_layers=2),
        "alibi-2": Config("alibi", n_layers=2),
    },
}

ENCODINGS = ("none", "learned", "sinusoidal", "rotary", "alibi")


# --8<-- [start:network]
def encoding(config: Config, generator: Generator) -> Nowhere:
    """The encoding of that name. The learned one gets a vector for each position of the
    test, though training reaches the first few only."""
    if config.encoding == "learned":
        return Learned(config.n_tokens_test, config.d_model, generator)
    check_encoding(config.encoding)
    others: dict[str, Nowhere] = {
        "none": Nowhere(),
        "sinusoidal": Sinusoidal(config.d_model),
        "rotary": Rotary(config.rotary_base),
        "alibi": ALiBi(config.n_heads),
    }
    return others[config.encoding]


class TokenBefore(nn.Module):
    """Layers of attention on a residual stream, and no MLP: it names the token before."""

    def __init__(self, config: Config, generator: Generator) -> None:
        super().__init__()
        d_model, n_symbols = config.d_model, config.n_symbols
        n_tokens = n_symbols + 1  # and the start
        self.W_E = normal(n_tokens, d_model, std=1.0, generator=generator)
        std = d_model**-0.5
        self.W_U = normal(d_model, n_symbols, std=std, generator=generator)
        self.positions = encoding(config, generator)
        self.layers = nn.ModuleList(
            SelfAttention(d_model, config.n_heads, generator)
            for _ in range(config.n_layers)
        )

    def forward(
        self, tokens: Int[Tensor, "batch pos"]
    ) -> tuple[
        Float[Tensor, "batch pos symbol"], list[Float[Tensor, "batch head pos pos"]]
    ]:
        """Logits, and the attention pattern of each layer."""
        self.check(tokens)
        x, patterns = self.positions.add(self.W_E[tokens]), []
        for layer in self.layers:
            written, pattern = layer(layer_norm(x), self.positions)
            x = x + written.sum(1)
            patterns.append(pattern)
        return layer_norm(x) @ self.W_U, patterns

    # --8<-- [end:network]

    def check(self, tokens: Tensor) -> None:
        """Raise ValueError, in words, for what the network cannot read."""
        if tokens.numel() == 0:
            raise ValueError("the prompt is empty: give at least one token")
        least, most, n_tokens = int(tokens.min()), int(tokens.max()), len(self.W_E)
        if least < 0 or most >= n_tokens:
            raise ValueError(
                f"token ids run from {least} to {most}; this network knows 0 to "
                f"{n_tokens - 1}"
            )


def check_encoding(name: str) -> None:
    """Raise ValueError for an encoding that does not exist."""
    if name not in ENCODINGS:
        raise ValueError(
            f"there is no encoding '{name}': choose from {', '.join(ENCODINGS)}"
        )


# --8<-- [start:task]
def draw_tokens(
    n: int, length: int, n_symbols: int, generator: Generator
) -> Int[Tensor, "n length"]:
    """A start token, then random symbols."""
    tokens = torch.randint(n_symbols, (n, length), generator=generator)
    tokens[:, 0] = n_symbols
    return tokens


def before(tokens: Int[Tensor, "n length"]) -> Int[Tensor, "n length_less_2"]:
    """The answers, from the third token on: the first whose answer is a symbol."""
    return tokens[:, 1:-1]


def best_without_order(
    tokens: Int[Tensor, "n length"], n_symbols: int
) -> Float[Tensor, "length_less_2"]:
    """How often the most frequent symbol of the past is the one before: nobody who sees
    the past as a heap does better."""
    one_hot = F.one_hot(before(tokens), n_symbols).double()
    counts = one_hot.cumsum(1)  # of each symbol, up to the one before
    return (counts.amax(-1) / counts.sum(-1)).mean(0)


# --8<-- [end:task]


# --8<-- [start:measure]
def run(config: Config, seed: int) -> Measurements:
    weights, data, test = streams(seed, 3)
    c, network = config, TokenBefore(config, weights)

    def batch_loss() -> Float[Tensor, ""]:
        tokens = draw_tokens(c.batch, c.n_tokens, c.n_symbols, data)
        logits, _ = network(tokens)
        return F.cross_entropy(logits[:, 2:].flatten(0, 1), before(tokens).flatten())

    trained(
        network,
        train(network, batch_loss, c.n_steps, c.learning_rate, c.warm_up, 0.5),
    )
    tokens = draw_tokens(c.n_test, c.n_tokens_test, c.n_symbols, test)
    return measure(network, config, tokens)


def measure(
    network: TokenBefore, config: Config, tokens: Int[Tensor, "n length"]
) -> Measurements:
    """Accuracy by position, and where the head looks that looks back most."""
    logits, patterns = network(tokens)
    right = (logits[:, 2:].argmax(-1) == before(tokens)).double().mean(0).numpy()
    heap = best_without_order(tokens, config.n_symbols).numpy()
    trained = config.n_tokens
    pattern = patterns[-1][:, best_head(patterns[-1], trained)].double().mean(0)
    position = np.arange(3, config.n_tokens_test + 1)  # the start token is number 1
    edge = (position > 0.75 * trained) & (position <= trained)
    last = pattern[-1]  # where the last token looks
    return {
        "position": position,
        "trained": trained,
        "d_head": config.d_model // config.n_heads,
        "accuracy": right,
        "heap": heap,
        "within": right[position <= trained].mean(),
        "heap_within": heap[position <= trained].mean(),
        "at_the_edge": right[edge].mean(),
        "to_twice": right[(position > trained) & (position <= 2 * trained)].mean(),
        "beyond": right[position > 2 * trained].mean(),
        "previous": pattern[:trained, :trained].diagonal(-1).mean().item(),
        "far": last[: -2 * trained].sum().item(),  # more than that many tokens back
        "pattern": (255 * pattern).round().byte().numpy(),  # for a picture
    }


def best_head(pattern: Float[Tensor, "batch head pos pos"], n_tokens: int) -> int:
    """The head that attends most to the token before, within the training length."""
    previous = pattern[:, :, :n_tokens, :n_tokens].diagonal(-1, 2, 3)
    return int(previous.mean((0, 2)).argmax())


# --8<-- [end:measure]


def least(m: Measurements, name: str, *cells: str) -> float:
    return min(float(m[cell][name]) for cell in cells)


def most(m: Measurements, name: str, *cells: str) -> float:
    return max(float(m[cell][name]) for cell in cells)


def alibi_ahead(m: Measurements) -> float:
    """Of the best of the four others, with two layers, beyond the length."""
    others = ("none-2", "learned-2", "sinusoidal-2", "rotary-2")
    return float(m["alibi-2"]["beyond"]) - most(m, "beyond", *others)


# fmt: off
CLAIMS = [
    Claim("heap", lambda m: m["none-1"]["within"] - m["none-1"]["heap_within"], equals(0, 0.03), "",
          "One layer without positions is right as often as the most frequent symbol of the past, within 3 "
          "in 100."),
    Claim("finds", lambda m: least(m, "within", "learned-1", "sinusoidal-1", "rotary-1"), above(0.95), "",
          "Within the training length, one layer with learned, sinusoidal or rotary positions names the "
          "token before in more than 95 of 100 cases.",
          digits=3),
    Claim("alibi-blurs", lambda m: float(m["alibi-1"]["within"]), between(0.55, 0.85), "",
          "One layer with ALiBi names it in more than 55 and fewer than 85 of 100."),
    Claim("alibi-looks", lambda m: float(m["alibi-1"]["previous"]), below(0.3), "of its attention",
          "None of its heads gives more than 3 tenths to the token before."),
    Claim("learned-ends", lambda m: most(m, "beyond", "learned-1", "learned-2"), below(0.15), "",
          "With learned positions fewer than 15 in 100 are right beyond twice the training length, with one "
          "layer and with two."),
    Claim("sinusoidal-ends", lambda m: most(m, "beyond", "sinusoidal-1", "sinusoidal-2"), below(0.2), "",
          "With sinusoidal positions, fewer than 2 in 10 with one layer or two."),
    Claim("rotary-carries", lambda m: least(m, "to_twice", "rotary-1", "rotary-2"), above(0.85), "",
          "With rotary positions over 85 in 100 are right up to twice the length.",
          digits=3),
    Claim("rotary-ends", lambda m: most(m, "beyond", "rotary-1", "rotary-2"), below(0.5), "",
          "Beyond twice the length fewer than half are right with rotary positions."),
    Claim("rotary-far", lambda m: float(m["rotary-1"]["far"]), above(0.5), "of its attention",
          "At the end of the long sequence its best head gives over half of its attention to tokens more "
          "than twice the training length back."),
    Claim("slow-rotary", lambda m: float(m["slow-rotary-1"]["beyond"]), above(0.65), "",
          "With a slower second hand it is right there in more than 65 of 100.",
          digits=3),
    Claim("alibi-steady", lambda m: m["alibi-1"]["beyond"] / m["alibi-1"]["at_the_edge"],
          above(0.8), "of the accuracy at the edge of training",
          "With one layer and ALiBi, over four fifths of the accuracy at the edge of the training length "
          "remain beyond twice that length."),
    Claim("alibi-two", lambda m: float(m["alibi-2"]["within"]), above(0.95), "",
          "Two layers with ALiBi: over 95 in 100 are right within the length.",
          digits=3),
    Claim("alibi-two-beyond", alibi_ahead, above(0.1), "",
          "Beyond twice the length it is ahead of the four others with two layers by more than 10 in 100."),
    Claim("none-two", lambda m: float(m["none-2"]["within"]), above(0.9), "",
          "Two layers without positions: over 9 in 10 are right within the length.",
          digits=3),
    Claim("none-two-beyond", lambda m: float(m["none-2"]["beyond"]), below(0.4), "",
          "Beyond twice the length fewer than 4 in 10."),
]
# fmt: on
