"""Does a small induction head, trained on random letters, complete what a reader types?

Source: the test on repeated random tokens is olsson2022's (head activation evaluators);
attention-only networks of two layers are elhage2021's. Here: 27 tokens, letters and a
space, drawn at random; segments of 8 to 16 of them that return; a width of 32, so that
the weights, rounded to 16 bits, fit on a page. The heads of layer 1 start with press2022's
slopes: from zero, this small network learns the usual distance between two copies instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
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
    shortest: int = 8  # letters of a segment
    longest: int = 16
    gap: int = 12  # most random letters between two copies
    d_model: int = 32
    slopes: tuple[float, ...] = (2.0, 0.5)  # of the heads of layer 1, at the start
    learning_rate: float = 5e-3
    faster: float = 5.0  # the rate of distances, in units of learning_rate
    batch: int = 48
    n_steps: int = 600
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
def new_network(c: Config, weights: Generator) -> SmallTransformer:
    """Layer 1 begins by looking near: a slope for each head, as in ALiBi."""
    shape = (2, len(ALPHABET), c.n_tokens, c.d_model, len(c.slopes))
    network = SmallTransformer(*shape, weights)
    with torch.no_grad():
        slopes = torch.tensor(c.slopes)[:, None]
        network.by_distance[0].copy_(-slopes * torch.arange(c.n_tokens))
    return network


def run(config: Config, seed: int) -> Measurements:
    weights, training, exam, random = streams(seed, 4)
    network = new_network(config, weights)
    for _ in train(config, network, training):
        pass
    kept = rounded(network)
    copies = random_repeats(len(ALPHABET), config.n_tokens // 4, 4, 256, random)
    return {
        **kept,
        **right_and_loss(config, network, exam),
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
          "Where sixteen different letters return, it names the next one in more than nine cases of ten."),
    Claim("repeats", lambda m: m["accuracy"], above(0.85), "of letters",
          "In segments drawn at random, where a letter may have had two successors, it is still right in more than "
          "85 cases of 100."),
    Claim("prefix", lambda m: float(m["prefix"][1].max()), above(0.7), "",
          "The best head of layer 2 has a prefix-matching score above 0.7: an induction head."),
    Claim("first-layer", lambda m: float(m["prefix"][0].max()), below(0.2), "",
          "No head of layer 1 matches prefixes: the best scores below 0.2."),
    Claim("previous", lambda m: float(m["previous"][0].max()), above(0.3), "of its attention",
          "The best head of layer 1 gives more than three tenths of its attention to the token before."),
    Claim("falls", first_repeat, above(2.5), "nats",
          "From the first copy of sixteen letters to the others the loss falls by more than 2.5 of ln 27 = 3.3 nats."),
]
# fmt: on
