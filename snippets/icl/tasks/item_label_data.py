"""Item-label sequences whose data have four dials: how many classes there are, how often
a class recurs in a context, how much its items vary, and how unevenly classes occur.

    x_1, l_1, x_2, l_2, ..., x_N, l_N, x_target      2N + 1 tokens, as in `item_label`

Class k of K has the frequency p(k), proportional to k^-alpha, and the label k mod L, for
good. A *bursty* sequence draws its target's class by p, and N / B - 1 more classes with
other labels, by p as well; each stands B times in the context. A sequence that is not
bursty draws every context class and the target's by p, independently.

Source: reddy2024, section 2. What differs: in the author's released code the classes of
a bursty sequence are uniform, whatever alpha; here they follow p. And a new class is new
to its sequence, not to a batch of sequences.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.tasks.item_label import Batch


# --8<-- [start:data]
@dataclass(frozen=True)
class Data:
    n_classes: int = 256  # K
    copies: int = 1  # B, how often a class stands in a bursty context; 0: never bursty
    noise: float = 0.1  # epsilon, spread of a class around its mean
    exponent: float = 0.0  # alpha: the class of rank k has frequency ~ k^-alpha
    burst_share: float = 1.0  # p_B, share of sequences that are bursty
    n_pairs: int = 4  # N
    n_labels: int = 16  # L
    d_item: int = 16  # D

    # --8<-- [end:data]

    def __post_init__(self) -> None:
        """Raise ValueError where no such data exist."""
        if self.n_pairs < 1:
            raise ValueError(f"N = {self.n_pairs} pairs: a context needs at least 1")
        if self.copies < 0 or (self.copies and self.n_pairs % self.copies):
            raise ValueError(
                f"B = {self.copies} must be 0 or divide N = {self.n_pairs}: each class "
                "stands B times in the context"
            )
        if self.n_labels > self.n_classes or self.n_classes % self.n_labels:
            raise ValueError(
                f"L = {self.n_labels} labels for K = {self.n_classes} classes: K must be "
                "a multiple of L, for labels are dealt in turn"
            )
        if self.n_labels < max(self.n_pairs, 2):
            raise ValueError(
                f"L = {self.n_labels} labels are too few: a context of new classes shows "
                f"{self.n_pairs} different ones, and one label leaves nothing to ask"
            )
        if not self.exponent >= 0:
            raise ValueError(
                f"alpha = {self.exponent}: rank 1 is the commonest class; take 0 or more"
            )
        if not self.noise >= 0:
            raise ValueError(f"epsilon = {self.noise} is a spread: take 0 or more")
        if not 0 <= self.burst_share <= 1:
            raise ValueError(f"p_B = {self.burst_share} is a share: take 0 to 1")

    @property
    def n_tokens(self) -> int:
        return 2 * self.n_pairs + 1

    @property
    def d_model(self) -> int:
        return self.n_tokens + self.d_item


# --8<-- [start:frequencies]
def frequencies(n_classes: int, exponent: float) -> Float[Tensor, "class"]:
    """p(k) for ranks k = 1 to K."""
    rank = torch.arange(1, n_classes + 1, dtype=torch.float64)
    weight = rank**-exponent
    return weight / weight.sum()


def asked_before(n_classes: int, exponent: float) -> float:
    """Sum of p(k)^2: how often, per training sequence, the class of a target has been the
    target before. 1 / K where all classes are as frequent."""
    return float(frequencies(n_classes, exponent).square().sum())


def target_in_context(data: Data) -> float:
    """Share of training sequences whose context shows the target's class."""
    p = frequencies(data.n_classes, data.exponent)
    by_chance = float((p * (1 - (1 - p) ** data.n_pairs)).sum())
    bursty = data.burst_share if data.copies else 0.0
    return bursty + (1 - bursty) * by_chance


def often_asked(n_classes: int, exponent: float, n_sequences: int, least: int) -> float:
    """Share of targets whose class has been the target `least` times or more, on average,
    in that many sequences: the mass of ranks with n p(k) >= least."""
    p = frequencies(n_classes, exponent)
    return float(p[n_sequences * p >= least].sum())


def commonest_label(n_classes: int, n_labels: int, exponent: float) -> float:
    """How often one is right who always names the label of the commonest class."""
    p = frequencies(n_classes, exponent)
    return float(p.view(-1, n_labels)[:, 0].sum())


# --8<-- [end:frequencies]


class World:
    """The fixed part: a mean for each class, a vector for each label, frequencies."""

    def __init__(self, data: Data, generator: Generator) -> None:
        self.data = data
        # label vectors first: worlds with other K from the same stream share them
        self.label_vectors = self.points(generator, data.n_labels)
        self.means = self.points(generator, data.n_classes)
        self.p = frequencies(data.n_classes, data.exponent).float()

    # --8<-- [start:sequences]
    def train(self, batch: int, generator: Generator) -> Batch:
        """What the network trains on: known classes, bursty in a share p_B."""
        d = self.data
        bursty = torch.rand(batch, generator=generator) < d.burst_share * (d.copies > 0)
        classes, target = self.iid(batch, generator)
        if d.copies:
            classes_b, target_b = self.bursty(batch, d.copies, generator)
            classes = torch.where(bursty[:, None], classes_b, classes)
            target = torch.where(bursty, target_b, target)
        return self.known(classes, target, generator)

    def iid(
        self, batch: int, generator: Generator
    ) -> tuple[Int[Tensor, "batch pair"], Int[Tensor, "batch"]]:
        n = self.data.n_pairs + 1
        drawn = self.p.multinomial(batch * n, True, generator=generator).view(batch, n)
        return drawn[:, :-1], drawn[:, -1]

    def bursty(
        self, batch: int, copies: int, generator: Generator
    ) -> tuple[Int[Tensor, "batch pair"], Int[Tensor, "batch"]]:
        """The target's class, and N / B - 1 others with other labels, drawn one after
        the other by their frequencies (the largest of log p + Gumbel noise)."""
        d = self.data
        target = self.p.multinomial(batch, True, generator=generator)
        of_label = self.p.view(-1, d.n_labels)  # (turn, label): class = L turn + label
        keys = of_label.sum(0).log() - gumbel(generator, batch, d.n_labels)
        keys.scatter_(1, target[:, None] % d.n_labels, -torch.inf)
        label = keys.topk(d.n_pairs // copies - 1).indices  # (batch, other class)
        turn = of_label.mT[label.flatten()].multinomial(1, True, generator=generator)
        others = d.n_labels * turn.view(label.shape) + label
        shown = torch.cat([target[:, None], others], 1).repeat(1, copies)
        order = torch.rand(shown.shape, generator=generator).argsort(1)
        return shown.gather(1, order), target

    # --8<-- [end:sequences]

    # --8<-- [start:tests]
    def novel(self, batch: int, generator: Generator, copies: int = 1) -> Batch:
        """New classes, any labels: only the context can tell."""
        d, n = self.data, self.data.n_pairs // copies
        label = torch.rand(batch, d.n_labels, generator=generator).argsort(1)[:, :n]
        place = torch.rand(batch, d.n_pairs, generator=generator).argsort(1) % n
        target = torch.randint(n, (batch, 1), generator=generator)
        means = self.points(generator, batch, n)
        items = means[torch.arange(batch)[:, None], torch.cat([place, target], 1)]
        labels, answer = label.gather(1, place), label.gather(1, target)[:, 0]
        shown = (place == target).float()
        return Batch(self.tokens(items, labels, generator), labels, answer, shown)

    def rotated(self, batch: int, generator: Generator) -> Batch:
        """Known classes, each shown with the label after its own."""
        classes, target = self.bursty(batch, 1, generator)
        return self.known(classes, target, generator, rotated_by=1)

    def source_iid(self, batch: int, generator: Generator) -> Batch:
        """As the source tests memory: all drawn by p, and the context may show it."""
        return self.known(*self.iid(batch, generator), generator)

    def absent(
        self, batch: int, generator: Generator, ranks: range | None = None
    ) -> Batch:
        """A known target whose class the context does not show: only the weights can
        tell. It is drawn by p or, given `ranks`, each of these classes alike."""
        weights = self.p
        if ranks is not None:
            weights = torch.zeros_like(self.p)
            weights[ranks.start : ranks.stop] = 1
        target = weights.multinomial(batch, True, generator=generator)
        others = self.p.repeat(batch, 1).scatter_(1, target[:, None], 0)
        n = self.data.n_pairs
        classes = others.multinomial(n, True, generator=generator)
        return self.known(classes, target, generator)

    # --8<-- [end:tests]

    def known(
        self,
        classes: Int[Tensor, "batch pair"],
        target: Int[Tensor, "batch"],
        generator: Generator,
        rotated_by: int = 0,
    ) -> Batch:
        n_labels = self.data.n_labels
        labels = (classes + rotated_by) % n_labels
        answer = (target + rotated_by) % n_labels
        means = self.means[torch.cat([classes, target[:, None]], 1)]
        shown = (classes == target[:, None]).float()
        return Batch(self.tokens(means, labels, generator), labels, answer, shown)

    def tokens(
        self,
        means: Float[Tensor, "batch item d_item"],
        labels: Int[Tensor, "batch pair"],
        generator: Generator,
    ) -> Float[Tensor, "batch pos d_model"]:
        """Noisy items and label vectors in turn, each behind its one-hot position."""
        d, n = self.data, self.data.n_tokens
        items = means + d.noise * self.points(generator, *means.shape[:2])
        x = torch.empty(len(labels), n, d.d_model)
        x[..., :n] = F.one_hot(torch.arange(n), n)
        x[:, 0::2, n:] = items / (1 + d.noise**2) ** 0.5  # about unit length
        x[:, 1::2, n:] = self.label_vectors[labels]
        return x

    def points(
        self, generator: Generator, *shape: int
    ) -> Float[Tensor, "*shape d_item"]:
        """Random points of expected squared length 1."""
        d_item = self.data.d_item
        return torch.randn(*shape, d_item, generator=generator) * d_item**-0.5


def gumbel(generator: Generator, *shape: int) -> Float[Tensor, "*shape"]:
    """The negative of Gumbel noise: the log of an exponential draw."""
    return torch.empty(shape).exponential_(generator=generator).log()
