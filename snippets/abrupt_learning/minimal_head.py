"""Can a head of two or three numbers, trained on prompts, stand in for the network?

The prompts are those of `data`, B = 1. Both looks are built in but for a logit each
(`icl/networks/minimal_head.py`); the classifier is learned. First from numbers that are
0, for some numbers of classes K; then for one K from a grid of starts (beta1, alpha).
Each head is trained with beta2, the pull of labels as such, and without it.

Source: reddy2024 (a head of three parameters, and what its success depends on without
beta2, are known to us from its abstract and the public reviews). The form is our
reconstruction. What differs from `data`: SGD at 0.3 for all weights, the first rate
tried, one hidden layer in the classifier.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from snippets.contract import (
    Claim,
    Measurements,
    above,
    below,
    between,
)
from snippets.icl.networks.minimal_head import MinimalHeads, Start, look_back
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Batch
from snippets.icl.tasks.item_label_data import Data, World
from snippets.icl.theory.crossings import crossing
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    data: Data = field(default_factory=lambda: Data(n_classes=512))  # of the grid
    class_counts: tuple[int, ...] = (64, 128, 192, 512, 1024)  # from numbers that are 0
    beta1: tuple[float, ...] = (-2.0, -1.0, 0.0, 1.0, 2.0)  # the grid of starts
    alpha: tuple[float, ...] = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
    width: int = 64
    n_steps: int = 1000
    batch: int = 64
    learning_rate: float = 0.3
    look_every: int = 25
    n_look: int = 512


PRESETS = {"laptop": Config()}


# --8<-- [start:train]
class Heads:
    """Heads that read the prompts of some worlds: head i those of worlds[of[i]]."""

    def __init__(
        self,
        starts: Sequence[Start],
        counts: Sequence[int],
        of: Sequence[int],
        c: Config,
        seed: int,
    ) -> None:
        _, weights, self.data, exam = streams(seed, 4)
        kinds = [replace(c.data, n_classes=K) for K in counts]
        self.worlds = [World(kind, streams(seed, 1)[0]) for kind in kinds]
        self.of, sizes = list(of), (c.data.d_item, c.data.n_labels, c.width)
        self.heads = MinimalHeads(starts, *sizes, weights)
        self.novel = self.asked([w.novel(c.n_look, exam) for w in self.worlds])
        self.absent = self.asked([w.absent(c.n_look, exam) for w in self.worlds])

    def asked(self, batches: list[Batch]) -> dict[str, Tensor]:
        """One batch for each head, or one for all; items and labels, no positions."""
        pos = self.worlds[0].data.n_tokens
        names = ("tokens", "answer", "answer_shown", "context_labels")
        every = {n: torch.stack([getattr(b, n) for b in batches]) for n in names}
        every["tokens"] = every["tokens"][..., pos:]
        alike = len(batches) == 1
        return every if alike else {n: x[self.of] for n, x in every.items()}

    def step(self, batch: int, optimizer: torch.optim.Optimizer) -> None:
        drawn = self.asked([w.train(batch, self.data) for w in self.worlds])
        logits, _ = self.heads(drawn["tokens"])
        answer = drawn["answer"].expand(logits.shape[:2])
        loss = F.cross_entropy(logits.flatten(0, 1), answer.flatten(), reduction="sum")
        optimizer.zero_grad()
        (loss / batch).backward()  # a sum over heads: none sees another's loss
        optimizer.step()

    # --8<-- [end:train]

    @torch.no_grad()
    def look(self) -> dict[str, np.ndarray]:
        """(head, number), and for each head what it does on new classes and on known."""
        logits, second = self.heads(self.novel["tokens"])
        guess = logits.argmax(-1)
        known = self.heads(self.absent["tokens"])[0].argmax(-1)
        beta1 = self.heads.numbers[:, 0, None, None]
        labels = torch.arange(1, second.shape[-1], 2)
        own = look_back(beta1, second.shape[-1])[:, labels, labels - 1].mean(1)
        right = (second[..., labels] * self.novel["answer_shown"]).sum(-1).mean(1)
        named = (self.novel["context_labels"] == guess[..., None]).any(-1)
        seen = {
            "numbers": self.heads.numbers.clone(),
            "context": (guess == self.novel["answer"]).float().mean(1),
            "memory": (known == self.absent["answer"]).float().mean(1),
            "label_to_item": own,
            "target_to_label": right,
            "names_a_shown_label": named.float().mean(1),
        }
        return {name: value.numpy() for name, value in seen.items()}


def trained(heads: Heads, c: Config, look_every: int) -> dict[str, np.ndarray]:
    """Curves (time, head, ...) of heads that are trained side by side."""
    descent = torch.optim.SGD(heads.heads.parameters(), lr=c.learning_rate)
    history, at = [], []
    for step in steps(c.n_steps + 1):
        if step % look_every == 0:
            history.append(heads.look())
            at.append(step)
        if step < c.n_steps:
            heads.step(c.batch, descent)
    return {"step": np.array(at)} | {
        name: np.stack([h[name] for h in history]) for name in history[0]
    }


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    c, both = config, (True, False)
    grid = [Start(b, a, direct) for direct in both for b in c.beta1 for a in c.alpha]
    of = [i for _ in both for i in range(len(c.class_counts))]
    zero = [Start(direct=direct) for direct in both for _ in c.class_counts]
    by_count = trained(Heads(zero, c.class_counts, of, c, seed), c, c.look_every)
    one = Heads(grid, [c.data.n_classes], [0] * len(grid), c, seed)
    starts = trained(one, c, 5 * c.look_every)
    kept = ("step", "numbers", "context")
    return (
        by_count
        | {f"grid_{name}": starts[name] for name in kept}
        | {
            "grid_memory": starts["memory"][-1],
        }
    )


# --8<-- [end:run]

COUNTS = PRESETS["laptop"].class_counts
BETA1, ALPHA = PRESETS["laptop"].beta1, PRESETS["laptop"].alpha


def head(K: int, direct: bool = True) -> int:
    """The place of a head that begins with numbers that are 0."""
    return COUNTS.index(K) + (0 if direct else len(COUNTS))


def end(m: Measurements, what: str, K: int, direct: bool = True) -> float:
    return float(m[what][-1, head(K, direct)])


def reaches(m: Measurements, level: float, direct: bool = True) -> float:
    """The first step at which so much is read, K = 512, or infinity."""
    there = m["step"][m["context"][:, head(512, direct)] >= level]
    return float(there[0]) if len(there) else np.inf


def rise(m: Measurements) -> float:
    """How long three numbers take from a quarter to nine tenths, in waits before."""
    return (reaches(m, 0.9) - reaches(m, 0.25)) / reaches(m, 0.25)


def half_way(m: Measurements, what: str) -> float:
    """The first step at which a measure of three numbers, K = 512, is half way."""
    curve = m[what][:, head(512)]
    return float(m["step"][curve >= (curve[0] + curve[-1]) / 2][0])


def together(m: Measurements) -> float:
    """How far the half-way marks of both looks and of accuracy are apart, in waits."""
    names = ("label_to_item", "target_to_label", "context")
    marks = [half_way(m, name) for name in names]
    return (max(marks) - min(marks)) / min(marks)


def switch(m: Measurements, direct: bool = True) -> float:
    """K at which context and memory are right equally often."""
    leads = [end(m, "context", K, direct) - end(m, "memory", K, direct) for K in COUNTS]
    return crossing(COUNTS, leads)


# --8<-- [start:share]
def reading(m: Measurements) -> np.ndarray:
    """Which starts come to read at least half: (three or two numbers, beta1, alpha)."""
    by_start = m["grid_context"][-1].reshape(2, len(BETA1), len(ALPHA))
    return by_start >= 0.5


def share(m: Measurements, direct: bool) -> float:
    return float(reading(m)[0 if direct else 1].mean())


# --8<-- [end:share]


def both_negative(m: Measurements) -> float:
    """The best reader of all that begin with beta1 and alpha below zero."""
    by_start = m["grid_context"][-1].reshape(2, len(BETA1), len(ALPHA))
    return float(by_start[:, np.array(BETA1) < 0][..., np.array(ALPHA) < 0].max())


# fmt: off
CLAIMS = [
    Claim("reads", lambda m: end(m, "context", 512), above(0.9), "",
          "From zero, with 512 classes, three numbers read more than nine labels in ten of new classes."),
    Claim("two-read", lambda m: end(m, "context", 512, False), above(0.8), "",
          "Two numbers, without beta2, read more than eight in ten."),
    Claim("few", lambda m: end(m, "context", 64), below(0.4), "",
          "With 64 classes three numbers end with fewer than four in ten read."),
    Claim("few-remember", lambda m: end(m, "memory", 64), above(0.8), "",
          "The classifier then knows more than eight in ten by heart."),
    Claim("switch", switch, between(64, 192), "classes",
          "With three numbers context and memory are level at a number of classes between 64 and 192."),
    Claim("two-switch", lambda m: switch(m, False) / switch(m), above(1.1), "times as many",
          "Without beta2 they are level at more than 1.1 times as many classes."),
    Claim("later", lambda m: reaches(m, 0.5, False) / reaches(m, 0.5), above(1.1), "times as long",
          "With 512 classes two numbers take more than 1.1 times as long until half is read."),
    Claim("onset", lambda m: reaches(m, 0.25), between(150, 700), "steps",
          "Three numbers read a quarter after 150 to 700 steps.", digits=3),
    Claim("sharp", rise, below(0.5), "of the time before",
          "From a quarter to nine tenths takes them less than half of the time before."),
    Claim("together", together, below(0.3), "of the time before",
          "Both looks and accuracy are half way within less than 0.3 of the time before."),
    Claim("share-three", lambda m: share(m, True), between(0.4, 0.95), "of the starts",
          "Of 35 starts in beta1 and alpha more than 0.4 and fewer than 0.95 lead three numbers to read."),
    Claim("share-two", lambda m: share(m, True) - share(m, False), between(-0.1, 0.25), "of the starts",
          "Without beta2 the share is not more than 0.1 higher, and lower by less than 0.25 of the starts."),
    Claim("both-negative", both_negative, below(0.5), "",
          "No head that begins with beta1 and alpha below zero comes to read a half."),
]
# fmt: on
