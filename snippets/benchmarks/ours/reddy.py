"""The two-layer network of snippets/icl on item-label sequences, asked for one answer a sequence.

Only the target reads in the second layer, so no token's first-layer output is ever needed by itself, only its product
with a vector, u, and a weighted sum, by a. With A the first layer's attention and h = x + A x W_V,

    h u = x u + A x (W_V u)        a h = a x + (a A) x W_V

and what was a product of every token with W_V becomes two of a vector. The numbers are those of `TwoLayerNetwork`.

Source: reddy2024, the author's code, for task, sizes, update and first weights: there, too, a batch shares 128 new
classes.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.shapes import Labels, Logits, Stream

PAIRS, DIMS, CLASSES, LABELS, SLOTS = 8, 63, 256, 32, 65
TOKENS = 2 * PAIRS + 1
NEW_CLASSES = 128  # of a batch
BATCH, RATE, NOISE, NOVEL, N_TEST = 128, 0.01, 0.1, 0.8, 1000
DECAY = 1e-6
LATER = torch.full((TOKENS, TOKENS), -torch.inf).triu(1)  # (query, key)


class World:
    """Means of the known classes, and vectors of the labels."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.means = self.points(CLASSES)
        self.label_vectors = self.points(LABELS)

    def points(self, *shape: int) -> Tensor:
        return torch.randn(*shape, DIMS, generator=self.generator) * DIMS**-0.5

    def integers(self, below: int, *shape: int) -> Tensor:
        return torch.randint(below, shape, generator=self.generator)

    def draw(self, batch: int, novel: float) -> tuple[Stream, Labels]:
        """Sequences and the labels of their targets; so many of them show new classes."""
        means = torch.cat([self.means, self.points(NEW_CLASSES)])
        labels = torch.rand(batch, LABELS, generator=self.generator).topk(PAIRS).indices  # all different
        new = torch.rand(batch, 1, generator=self.generator) < novel
        turn = self.integers(CLASSES // LABELS, batch, PAIRS) * LABELS  # each label has several classes
        turn_of_new = self.integers(NEW_CLASSES // LABELS, batch, PAIRS) * LABELS + CLASSES
        classes = labels + torch.where(new, turn_of_new, turn)
        which = self.integers(PAIRS, batch, 1)
        classes = torch.cat([classes, classes.gather(1, which)], 1)
        items = torch.add(means[classes], self.points(batch, PAIRS + 1), alpha=NOISE)
        tokens = torch.zeros(batch, TOKENS, SLOTS + DIMS)
        place = self.integers(SLOTS - TOKENS + 1, batch, 1) + torch.arange(TOKENS)
        tokens.scatter_(2, place[..., None], 1.0)
        tokens[:, ::2, SLOTS:] = items.mul_((1 + NOISE**2) ** -0.5)
        tokens[:, 1::2, SLOTS:] = self.label_vectors[labels]
        return tokens, labels.gather(1, which)[:, 0]


def logits_of(network: TwoLayerNetwork, x: Stream) -> Logits:
    match = network.W_Q @ network.W_K.mT  # (layer, d_model, d_model)
    W_V = network.W_V[0]
    first = torch.baddbmm(LATER[: x.shape[1], : x.shape[1]], x @ match[0], x.mT).softmax(-1)  # A
    target = x[:, -1] + torch.bmm(first[:, -1:], x)[:, 0] @ W_V  # (batch, d_model)

    u = target @ match[1]
    ux, uWx = torch.bmm(torch.stack([u, u @ W_V.mT], 1), x.mT).split(1, 1)  # (batch, 1, pos)
    second = torch.baddbmm(ux, uWx, first.mT).softmax(-1)  # a: (batch, 1, pos)
    ax, aAx = torch.bmm(torch.cat([second, second @ first], 1), x).unbind(1)  # (batch, d_model)
    z = target + (ax + aAx @ W_V) @ network.W_V[1]
    for W, b in zip(network.W_hidden, network.b_hidden):
        z = F.relu(z @ W + b)
    return z @ network.W_out


class Trainer:
    """One network, and how it trains."""

    def __init__(self, seed: int, rate: float) -> None:
        self.world = World(Generator().manual_seed(seed))
        self.test = self.world.draw(N_TEST, novel=1.0)
        first = Generator().manual_seed(seed + 10_000)
        self.network = TwoLayerNetwork(SLOTS + DIMS, DIMS, LABELS, SLOTS + DIMS, first, biases=True)
        # (1 - decay) w - rate g
        self.sgd = torch.optim.SGD(self.network.parameters(), rate, weight_decay=DECAY / rate, fused=True)

    def step(self) -> None:
        tokens, answer = self.world.draw(BATCH, NOVEL)
        loss = F.cross_entropy(logits_of(self.network, tokens), answer)
        self.sgd.zero_grad()
        loss.backward()
        self.sgd.step()

    @torch.no_grad()
    def look(self) -> float:
        """Accuracy on classes never seen."""
        tokens, answer = self.test
        return (logits_of(self.network, tokens).argmax(-1) == answer).float().mean().item()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int, rate: float = RATE) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed, rate)


@torch.no_grad()
def weigh(ours: Trainer, file: str) -> float:
    """The loss on weights and sequences that the author's side wrote."""
    found = {name: torch.from_numpy(array) for name, array in np.load(file).items()}
    tokens, answer = found.pop("tokens"), found.pop("answers")
    ours.network.load_state_dict(found)
    return F.cross_entropy(logits_of(ours.network, tokens.float()), answer).item()
