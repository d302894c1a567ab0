"""Classification tasks made out of real data: a random projection of the inputs and a
random naming of the classes make a new task of the same difficulty.

    x' = A x,   label = rho(class)

A task is a pair (A, rho). A sequence holds examples of one task, in random order:

    x'_1, l_1, x'_2, l_2, ..., x'_n, l_n

Source: kirsch2022, who make tasks from MNIST in this way. The data here come with
scikit-learn: nothing is downloaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

TABLES = ("wine", "breast cancer", "iris")


# --8<-- [start:data]
@dataclass(frozen=True)
class DataSet:
    """Points with classes 0, 1, ..., sorted by class."""

    points: Float[Tensor, "n feature"]
    counts: Int[Tensor, "n_classes"]  # how many points each class has

    @property
    def n_classes(self) -> int:
        return len(self.counts)

    def first(self, n: int) -> "DataSet":
        """The points of the first n classes."""
        check_classes(range(n), self.n_classes)
        return DataSet(self.points[: int(self.counts[:n].sum())], self.counts[:n])


def data_set(
    x: Float[Tensor, "n feature"],
    y: Int[Tensor, "n"],
    scale: Float[Tensor, "m feature"] | None = None,
) -> DataSet:
    """Every feature with mean 0 and standard deviation 1, over `scale` if given."""
    scale = x if scale is None else scale
    std = scale.std(0)
    x = (x - scale.mean(0)) / torch.where(std > 0, std, 1.0)  # some pixels are blank
    _, counts = y.unique(return_counts=True)
    return DataSet(x[y.argsort(stable=True)], counts)


def digits(
    classes: Sequence[int], others: Sequence[int], generator: Generator
) -> dict[str, DataSet]:
    """8 x 8 images of some digits to train on and, held out, a fifth of them; and all
    images of other digits."""
    from sklearn import datasets  # here, because it is slow to import

    bunch = datasets.load_digits()
    x, y = torch.tensor(bunch.data).float(), torch.tensor(bunch.target)
    check_classes([*classes, *others], int(y.max()) + 1)
    order = torch.randperm(len(x), generator=generator)
    x, y = x[order], y[order]
    mine, rest = (torch.isin(y, torch.tensor(c)) for c in (classes, others))
    cut = int(0.8 * mine.sum())
    train_x, train_y = x[mine][:cut], y[mine][:cut]
    return {
        "train": data_set(train_x, train_y),
        "held out": data_set(x[mine][cut:], y[mine][cut:], scale=train_x),
        "other digits": data_set(x[rest], y[rest], scale=train_x),
    }


def table(name: str) -> DataSet:
    """Wine, breast cancer or iris: rows of measurements, nothing like an image."""
    if name not in TABLES:
        raise ValueError(f"no table '{name}': choose from {', '.join(TABLES)}")
    from sklearn import datasets

    bunch = getattr(datasets, "load_" + name.replace(" ", "_"))()
    return data_set(torch.tensor(bunch.data).float(), torch.tensor(bunch.target))


# --8<-- [end:data]


def check_classes(classes: Sequence[int], n_classes: int) -> None:
    """Raise ValueError where the data have no such classes."""
    if not classes or min(classes) < 0 or max(classes) >= n_classes:
        raise ValueError(
            f"classes {list(classes)} are not all there: the data have {n_classes} "
            f"classes, 0 to {n_classes - 1}"
        )


def check_sequence(data: DataSet, classes: Int[Tensor, "batch pos"]) -> None:
    """Raise ValueError where a sequence teaches nothing or asks for too many points."""
    length = classes.shape[1]
    if length < 2:
        raise ValueError(f"a sequence of {length} has no example to learn from")
    most = torch.nn.functional.one_hot(classes, data.n_classes).sum(1).amax(0)
    for wanted, there in zip(most.tolist(), data.counts.tolist()):
        if wanted > there:
            raise ValueError(
                f"a sequence of {length} asks for {wanted} points of a class that has "
                f"{there}: make it shorter"
            )


# --8<-- [start:tasks]
@dataclass(frozen=True)
class Tasks:
    """Projections A and namings rho, one of each for every task."""

    A: Float[Tensor, "task feature dim"]
    rho: Int[Tensor, "task n_classes"]

    def __len__(self) -> int:
        return len(self.A)

    def pick(self, n: int, generator: Generator) -> "Tasks":
        """n of them, drawn with replacement."""
        i = torch.randint(len(self), (n,), generator=generator)
        return Tasks(self.A[i], self.rho[i])

    def first(self, n: int) -> "Tasks":
        """The first n: a smaller pool within this one."""
        if not 1 <= n <= len(self):
            raise ValueError(
                f"cannot take {n} tasks from a pool of {len(self)}: make the pool "
                "larger, or ask for 1 or more"
            )
        return Tasks(self.A[:n], self.rho[:n])


def new_tasks(
    n: int, data: DataSet, n_dims: int, n_labels: int, generator: Generator
) -> Tasks:
    """n tasks never seen before. A has entries of variance 1 / features, so that x' has
    about unit variance; rho gives each class a label of its own."""
    if n < 1:
        raise ValueError(
            f"a pool of {n} tasks holds nothing to learn: ask for 1 or more"
        )
    if data.n_classes > n_labels:
        raise ValueError(
            f"{data.n_classes} classes do not fit {n_labels} labels: raise n_labels"
        )
    # --8<-- [start:make]
    n_features = data.points.shape[1]
    A = torch.randn(n, n_features, n_dims, generator=generator) / n_features**0.5
    rho = torch.rand(n, n_labels, generator=generator).argsort(1)
    return Tasks(A, rho[:, : data.n_classes])
    # --8<-- [end:make]


# --8<-- [end:tasks]


# --8<-- [start:sequences]
@dataclass(frozen=True)
class Batch:
    x: Float[Tensor, "batch pos dim"]  # projected inputs
    label: Int[Tensor, "batch pos"]


def sequences(data: DataSet, tasks: Tasks, length: int, generator: Generator) -> Batch:
    """One sequence for each task. Classes are drawn evenly, so that guessing is right
    once in n_classes times, whatever the data; then a point of the class. No point comes
    twice: the answer to a point seen before would be a copy, not a guess."""
    classes = torch.randint(data.n_classes, (len(tasks), length), generator=generator)
    rows = distinct_rows(data, classes, generator)
    # --8<-- [start:apply]
    x = data.points[rows]  # (batch, pos, feature)
    return Batch(x @ tasks.A, tasks.rho.gather(1, classes))
    # --8<-- [end:apply]


def distinct_rows(
    data: DataSet, classes: Int[Tensor, "batch pos"], generator: Generator
) -> Int[Tensor, "batch pos"]:
    """A row of the data for each class asked for, no row twice in a sequence."""
    check_sequence(data, classes)
    start, count = (data.counts.cumsum(0) - data.counts)[classes], data.counts[classes]
    rows, again = torch.zeros_like(classes), torch.ones_like(classes, dtype=torch.bool)
    while again.any():  # draw anew what stands there already: mostly one round or two
        fresh = start + (torch.rand(rows.shape, generator=generator) * count).long()
        rows = torch.where(again, fresh, rows)
        again = (rows[:, :, None] == rows[:, None]).tril(-1).any(-1)
    return rows


# --8<-- [end:sequences]


# --8<-- [start:neighbour]
def nearest_neighbour(batch: Batch, last: int | None = None) -> Float[Tensor, "pos"]:
    """Accuracy of the label of the nearest earlier point, at each position; or of the
    `last` points before. At the first position there is none: that counts as wrong."""
    distance = torch.cdist(batch.x, batch.x)
    earlier = torch.ones_like(distance[0], dtype=torch.bool).tril(-1)
    if last is not None:
        earlier = earlier.triu(-last)
    nearest = distance.masked_fill(~earlier, torch.inf).argmin(-1)
    right = (batch.label.gather(1, nearest) == batch.label).float()
    right[:, 0] = 0
    return right.mean(0)


# --8<-- [end:neighbour]
