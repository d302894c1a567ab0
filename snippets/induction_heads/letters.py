"""Does a small induction head, trained on random letters, complete what a reader types?

Source: the test on repeated random tokens is olsson2022's (head activation evaluators);
attention-only networks of two layers are elhage2021's. Here: 27 tokens, letters and a
space, drawn at random; segments of 4 to 16 of them that return; a width of 32, so that
the weights, rounded to 16 bits, fit on a page.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.measures import prefix_matching, previous_token, random_repeats
from snippets.icl.networks.small_transformer import SmallTransformer
from snippets.icl.streams import streams
from snippets.progress import steps

ALPHABET = "abcdefghijklmnopqrstuvwxyz "


# --8<-- [start:config]
@dataclass(frozen=True)
class Config:
    n_tokens: int = 64  # letters that the network reads
    shortest: int = 3  # letters of a segment
    longest: int = 12
    gap: int = 20  # most random letters between two copies
    d_model: int = 32
    n_heads: int = 2
    learning_rate: float = 5e-3
    faster: float = 20.0  # the rate of distances, in units of learning_rate
    batch: int = 64
    n_steps: int = 800
    n_test: int = 32  # batches


PRESETS = {"laptop": Config()}
# --8<-- [end:config]


# --8<-- [start:draw]
Letters = tuple[Int[Tensor, "batch token"], Bool[Tensor, "token"]]


def draw_letters(c: Config, random: Generator) -> Letters:
    """Random letters over which one segment stands again and again, and where the
    context tells the next letter: in all copies but the first. A batch shares its
    layout, not its letters."""

    def number(least: int, most: int) -> int:
        return int(torch.randint(least, most + 1, (), generator=random))

    size, length = number(c.shortest, c.longest), c.n_tokens + 1
    letters = torch.randint(len(ALPHABET), (c.batch, length), generator=random)
    segment = torch.randint(len(ALPHABET), (c.batch, size), generator=random)
    told = torch.zeros(length, dtype=torch.bool)
    first = start = number(0, c.gap)
    while start < length:
        here = min(size, length - start)
        letters[:, start : start + here] = segment[:, :here]
        told[start + 1 : start + here] = start > first
        start += size + number(0, c.gap)
    return letters, told[1:]


# --8<-- [end:draw]


# --8<-- [start:train]
def train(c: Config, network: SmallTransformer, random: Generator) -> Iterator[int]:
    """Next-letter prediction on fresh sequences; the rate falls to zero."""
    optimizer = network.optimizer(c.learning_rate, c.faster, weight_decay=0.01)
    falling = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / 50, 2 - 2 * step / c.n_steps)
    )
    for step in steps(c.n_steps):
        letters, _ = draw_letters(c, random)
        logits, _ = network(letters[:, :-1])
        optimizer.zero_grad()
        F.cross_entropy(logits.mT, letters[:, 1:]).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1)
        optimizer.step()
        falling.step()
        yield step


# --8<-- [end:train]


def rounded(network: SmallTransformer) -> dict[str, np.ndarray]:
    """Its weights in 16 bits; the network itself computes with these from here on."""
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(weights.half())
    found = dict(network.named_parameters())
    return {
        f"weights_{name.replace('.', '_')}": value.detach().half().numpy()
        for name, value in found.items()
    }


@torch.no_grad()
def right_and_loss(
    c: Config, network: SmallTransformer, random: Generator
) -> dict[str, float]:
    """Accuracy and loss where the context tells the next letter."""
    right, losses = [], []
    for _ in range(c.n_test):
        letters, told = draw_letters(c, random)
        logits, wanted = network(letters[:, :-1])[0][:, told], letters[:, 1:][:, told]
        right.append((logits.argmax(-1) == wanted).float().flatten())
        losses.append(F.cross_entropy(logits.mT, wanted, reduction="none").flatten())
    return {
        "accuracy": float(torch.cat(right).mean()),
        "loss": float(torch.cat(losses).mean()),
    }


@torch.no_grad()
def on_different_letters(
    network: SmallTransformer, copies: Int[Tensor, "batch pos"]
) -> dict[str, np.ndarray | float]:
    """Scores of heads, and loss and accuracy by place, on segments in which no letter
    stands twice: what comes next is never in doubt."""
    logits, patterns = network(copies)
    wanted, size = copies[:, 1:], copies.shape[1] // 4
    by_place = F.cross_entropy(logits[:, :-1].mT, wanted, reduction="none").mean(0)
    right = (logits[:, :-1].argmax(-1) == wanted)[:, size:].float().mean()
    return {
        "by_place": by_place.numpy(),
        "accuracy_different": float(right),
        "prefix": torch.stack([prefix_matching(p, copies) for p in patterns]).numpy(),
        "previous": torch.stack([previous_token(p) for p in patterns]).numpy(),
    }


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, training, exam, random = streams(seed, 4)
    c, n_vocab = config, len(ALPHABET)
    network = SmallTransformer(2, n_vocab, c.n_tokens, c.d_model, c.n_heads, weights)
    for _ in train(c, network, training):
        pass
    kept = rounded(network)
    copies = random_repeats(n_vocab, c.n_tokens // 4, 4, 256, random)
    return {
        **kept,
        **right_and_loss(c, network, exam),
        **on_different_letters(network, copies),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


# --8<-- [end:run]


def first_repeat(m: Measurements) -> float:
    """How much the loss falls from the first copy to the second, in nats."""
    size = (len(m["by_place"]) + 1) // 4
    return float(m["by_place"][: size - 1].mean() - m["by_place"][size:].mean())


# fmt: off
CLAIMS = [
    Claim("completes", lambda m: m["accuracy_different"], above(0.9), "of letters",
          "Where twelve different letters return, it names the next one in more than nine cases of ten."),
    Claim("repeats", lambda m: m["accuracy"], above(0.7), "of letters",
          "In segments drawn at random, where a letter may have had two successors, it is still right in more than "
          "seven cases of ten."),
    Claim("prefix", lambda m: float(m["prefix"][1].max()), above(0.7), "",
          "The best prefix-matching head of layer 2 scores above 0.7."),
    Claim("previous", lambda m: float(m["previous"][0].max()), above(0.7), "",
          "The best previous-token head of layer 1 scores above 0.7."),
    Claim("first-layer", lambda m: float(m["prefix"][0].max()), below(0.2), "",
          "No head of layer 1 matches prefixes: the best scores below 0.2."),
    Claim("falls", first_repeat, above(2.5), "nats",
          "From the first copy of twelve letters to the others the loss falls by more than 2.5 nats of ln 27 = 3.3."),
]
# fmt: on
