"""Two layers of attention on two items with labels and a target: each distinct token once, and gradients by hand.

Before the first attention a token is one of 55: the 50 training classes, whose features are fixed, and 5 labels. So
the embedding, its norm and the first queries, keys and values are a table of 55 rows, from which the 160 tokens of a
batch are taken. Positions turn pairs of numbers of queries and keys, a product of complex numbers. In the second
layer only the target reads. So little arithmetic is left that the calls cost more than it; an automatic gradient
would double them. Each part returns its value and the function that takes gradients back and writes those of weights.

Source: singh2024, released code, for task, sizes, first weights and update.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Complex, Float, Int
from torch import Generator, Tensor

from snippets.icl.shapes import Labels, Logits

CLASSES, FEATURES, LABELS, PLACES = 50, 512, 5, 5
ROWS = CLASSES + LABELS
WIDTH, HEADS, D_HEAD = 64, 8, 8
BATCH, RATE, BETAS, EPSILON = 32, 1e-5, (0.9, 0.999), 1e-8
N_TEST = 1000
CHUNK = 64  # batches drawn at once
TRAINED = 8  # of the 10 pairs of labels

SHAPES = {
    "W_items": (FEATURES, WIDTH), "b_items": (WIDTH,), "W_labels": (LABELS, WIDTH),
    "W_QKV": (WIDTH, 3 * WIDTH), "W_O": (WIDTH, WIDTH),
    "W_Q": (WIDTH, WIDTH), "W_KV": (WIDTH, 2 * WIDTH), "W_O_last": (WIDTH, WIDTH),
    "W_U": (WIDTH, LABELS), "b_U": (LABELS,),
    **{f"{what}_{i}": (WIDTH,) for what in ("gain", "shift") for i in range(3)},
}  # fmt: skip

angles = torch.arange(PLACES)[:, None, None] * 10_000.0 ** -(torch.arange(0, D_HEAD, 2) / D_HEAD).repeat(HEADS)
TURN = torch.polar(torch.ones_like(angles), angles)  # (pos, 1, pair)
SCALE = D_HEAD**-0.5
TURNS = torch.cat([TURN * SCALE, TURN, torch.ones_like(TURN)], -1)  # of queries, keys and values
TURNS_OF_TARGET = TURN.flip(0) * SCALE  # from each place to the last: its keys need not be turned
FUTURE = torch.full((PLACES, PLACES), -torch.inf).triu(1)[..., None]  # (query, key, 1)

Ids = Int[Tensor, "pos batch"]  # rows of the table: classes, then labels
Rows = Float[Tensor, "rows width"]
Heads = Float[Tensor, "head d_head pos batch"]
Back = Callable[[Tensor], Tensor]
Parts = dict[str, Tensor]  # of all weights, or of their gradient, by name


def parts(flat: Float[Tensor, "weight"]) -> Parts:
    """Views into one tensor, so that an update is one call for all weights."""
    pieces = flat.split([torch.Size(shape).numel() for shape in SHAPES.values()])
    return {name: piece.view(shape) for (name, shape), piece in zip(SHAPES.items(), pieces)}


def norm(w: Parts, g: Parts, which: int, x: Rows) -> tuple[Rows, Back]:
    gain, shift = f"gain_{which}", f"shift_{which}"
    y, mean, scale = torch.native_layer_norm(x, (WIDTH,), w[gain], w[shift], 1e-5)

    def back(dy: Rows) -> Rows:
        backward = torch.ops.aten.native_layer_norm_backward
        dx, dgain, dshift = backward(dy, x, (WIDTH,), mean, scale, w[gain], w[shift], (True,) * 3)
        g[gain].copy_(dgain)
        g[shift].copy_(dshift)
        return dx

    return y, back


def turned(x: Rows, turns: Complex[Tensor, "pos one pair"]) -> Rows:
    """Each pair of numbers turned by its place's angle."""
    pairs = torch.view_as_complex(x.view(-1, x.shape[0] // PLACES, x.shape[1] // 2, 2))
    return torch.view_as_real(pairs * turns).view(-1, x.shape[1])


def attend(q: Heads, k: Heads, v: Heads) -> tuple[Heads, Back]:
    """What each place reads. A product over (query, key) at a time: heads of 8 are too small for matrix products."""
    big = q.unsqueeze(3) * k.unsqueeze(2)  # (head, d_head, query, key, batch)
    a = big.sum(1).add_(FUTURE).softmax(2)
    read = torch.mul(a.unsqueeze(1), v.unsqueeze(2), out=big).sum(3)

    def back(d: Heads) -> Float[Tensor, "3 head d_head pos batch"]:
        """Gradients of q, k and v in one tensor."""
        found = torch.empty(3, *d.shape)
        torch.mul(d.unsqueeze(3), v.unsqueeze(2), out=big)
        ds = through_softmax(big.sum(1), a, 2).unsqueeze(1)
        torch.sum(torch.mul(ds, k.unsqueeze(2), out=big), 3, out=found[0])
        torch.sum(torch.mul(ds, q.unsqueeze(3), out=big), 2, out=found[1])
        torch.sum(torch.mul(a.unsqueeze(1), d.unsqueeze(3), out=big), 2, out=found[2])
        return found

    return read, back


def through_softmax(da: Tensor, a: Tensor, dim: int) -> Tensor:
    da = da.mul_(a)
    return da.addcmul_(a, da.sum(dim, keepdim=True), value=-1)


def first_layer(w: Parts, g: Parts, features: Float[Tensor, "class feature"], ids: Ids) -> tuple[Rows, Back]:
    flat = ids.flatten()
    table = torch.cat([torch.addmm(w["b_items"], features, w["W_items"]), w["W_labels"]])
    normed, through_norm = norm(w, g, 0, table)
    rows = turned((normed @ w["W_QKV"]).index_select(0, flat), TURNS)  # (pos * batch, 3 width)
    heads = rows.mT.contiguous().view(3, HEADS, D_HEAD, *ids.shape)
    read, through_attention = attend(*heads)
    read = read.view(WIDTH, -1).mT
    x = torch.addmm(table.index_select(0, flat), read, w["W_O"])

    def back(dx: Rows) -> Float[Tensor, "feature width"]:
        torch.mm(read.mT, dx, out=g["W_O"])
        dheads = through_attention((w["W_O"] @ dx.mT).view_as(heads[0]))
        drows = turned(dheads.view(3 * WIDTH, -1).mT.contiguous(), TURNS.conj())
        scatter = torch.ops.aten.embedding_dense_backward
        drows = scatter(drows, flat, ROWS, -1, False)
        torch.mm(normed.mT, drows, out=g["W_QKV"])
        dtable = through_norm(drows @ w["W_QKV"].mT).add_(scatter(dx, flat, ROWS, -1, False))
        ditems, dlabels = dtable.split([CLASSES, LABELS])
        torch.sum(ditems, 0, out=g["b_items"])
        g["W_labels"].copy_(dlabels)
        return torch.mm(features.mT, ditems, out=g["W_items"])

    return x, back


def second_layer(w: Parts, g: Parts, x: Rows) -> tuple[Float[Tensor, "batch width"], Back]:
    """What it makes of the target, the last place."""
    batch = len(x) // PLACES
    normed, through_norm = norm(w, g, 1, x)
    target = normed[-batch:]
    q = turned_to_each_place(target @ w["W_Q"])
    k, v = (w["W_KV"].mT @ normed.mT).view(2, HEADS, D_HEAD, PLACES, batch)
    a = (q * k).sum(1).softmax(1)  # (head, pos, batch)
    read = (a.unsqueeze(1) * v).sum(2).view(WIDTH, batch).mT
    y = torch.addmm(x[-batch:], read, w["W_O_last"])

    def back(dy: Float[Tensor, "batch width"]) -> Rows:
        torch.mm(read.mT, dy, out=g["W_O_last"])
        dread = (w["W_O_last"] @ dy.mT).view(HEADS, D_HEAD, 1, batch)
        ds = through_softmax((dread * v).sum(1), a, 1).unsqueeze(1)
        dkv = torch.stack([ds * q, a.unsqueeze(1) * dread]).view(2 * WIDTH, -1).mT
        dq = turned((ds * k).view(WIDTH, -1).mT.contiguous(), TURNS_OF_TARGET.conj()).view(PLACES, batch, WIDTH).sum(0)
        torch.mm(normed.mT, dkv, out=g["W_KV"])
        torch.mm(target.mT, dq, out=g["W_Q"])
        dnormed = dkv @ w["W_KV"].mT
        dnormed[-batch:].addmm_(dq, w["W_Q"].mT)
        dx = through_norm(dnormed)
        dx[-batch:].add_(dy)
        return dx

    return y, back


def turned_to_each_place(q: Float[Tensor, "batch width"]) -> Heads:
    pairs = torch.view_as_complex(q.view(1, len(q), -1, 2)) * TURNS_OF_TARGET
    return torch.view_as_real(pairs).view(-1, WIDTH).mT.contiguous().view(HEADS, D_HEAD, PLACES, len(q))


def logits_of(w: Parts, g: Parts, features: Float[Tensor, "class feature"], ids: Ids) -> tuple[Logits, Back]:
    x, through_first = first_layer(w, g, features, ids)
    y, through_second = second_layer(w, g, x)
    normed, through_norm = norm(w, g, 2, y)

    def back(dlogits: Logits) -> Float[Tensor, "feature width"]:
        torch.mm(normed.mT, dlogits, out=g["W_U"])
        torch.sum(dlogits, 0, out=g["b_U"])
        return through_first(through_second(through_norm(dlogits @ w["W_U"].mT)))

    return torch.addmm(w["b_U"], normed, w["W_U"]), back


class World:
    """Features of the training classes, and the pairs of labels that training shows."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.features = torch.randn(CLASSES, FEATURES, generator=generator)
        pairs = torch.combinations(torch.arange(LABELS))
        self.pairs = pairs[torch.randperm(len(pairs), generator=generator)[:TRAINED]]

    def draw(self, batch: int) -> tuple[Ids, Labels]:
        """Sequences x l x' l' target, whose target's class stands first or second, and its labels."""

        def below(n: int) -> Int[Tensor, "batch"]:
            return torch.randint(n, (batch,), generator=self.generator)

        target = below(CLASSES)
        other = (target + 1 + below(CLASSES - 1)) % CLASSES
        pair = self.pairs[below(TRAINED)].mT
        label, other_label = torch.where(below(2).bool(), pair, pair.flip(0))
        match, rest = torch.stack([target, CLASSES + label]), torch.stack([other, CLASSES + other_label])
        first = below(2).bool()
        return torch.cat([torch.where(first, match, rest), torch.where(first, rest, match), target[None]]), label


def first_weights(generator: Generator) -> Float[Tensor, "weight"]:
    flat = torch.zeros(sum(torch.Size(shape).numel() for shape in SHAPES.values()))
    for name, w in parts(flat).items():
        # a normal law cut at two deviations is narrower than it was
        std = 0.02 if name == "W_labels" else w.shape[0] ** -0.5 / 0.87962566
        if name.startswith("W"):
            torch.nn.init.trunc_normal_(w, std=std, a=-2 * std, b=2 * std, generator=generator)
        if name.startswith("gain"):
            w.fill_(1)
    return flat


class Trainer:
    """One network, and how it trains."""

    def __init__(self, seed: int, rate: float) -> None:
        self.world = World(Generator().manual_seed(seed))
        self.test = self.world.draw(N_TEST)
        flat = torch.nn.Parameter(first_weights(Generator().manual_seed(seed + 10_000)))
        flat.grad = torch.zeros_like(flat)
        self.weights, self.gradient = parts(flat.data), parts(flat.grad)
        self.adam = torch.optim.Adam([flat], rate, BETAS, EPSILON, fused=True)
        self.drawn: list[tuple[Ids, Tensor]] = []

    def step(self) -> None:
        if not self.drawn:
            ids, labels = self.world.draw(CHUNK * BATCH)
            self.drawn = list(zip(ids.split(BATCH, 1), F.one_hot(labels, LABELS).float().split(BATCH)))
        ids, answer = self.drawn.pop()
        self.differentiate(ids, answer)
        self.adam.step()

    def differentiate(self, ids: Ids, answer: Float[Tensor, "batch label"]) -> None:
        """The gradient of the mean cross-entropy."""
        logits, back = self.logits(ids)
        back(logits.softmax(1).sub_(answer).div_(len(answer)))

    def logits(self, ids: Ids) -> tuple[Logits, Back]:
        return logits_of(self.weights, self.gradient, self.world.features, ids)

    def look(self) -> float:
        """Accuracy on sequences of the training classes."""
        ids, answer = self.test
        return (self.logits(ids)[0].argmax(-1) == answer).float().mean().item()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int, rate: float = RATE) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed, rate)


def weigh(ours: Trainer, file: str) -> float:
    """The loss on weights, features and sequences that the authors' side wrote."""
    found = {name: torch.from_numpy(array) for name, array in np.load(file).items()}
    weights = {name: found[name].reshape(shape) for name, shape in SHAPES.items()}
    logits, _ = logits_of(weights, {}, found["features"], found["ids"])
    return F.cross_entropy(logits, found["answers"]).item()
