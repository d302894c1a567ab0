"""Two settings in which ways to learn from examples compete: waves and named digits.

All that are trained see the same tasks, in the same batches, with the same examples. A
way is one of `Reading` (in context), `Steps` (gradient steps), `Neighbours`, `Ridge`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import count

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.context_classifier import ContextClassifier, Shape
from snippets.icl.networks.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.few_shot import Weights, network, new_weights, sinusoids
from snippets.icl.tasks.few_shot import points as wave_points
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.tasks.projected_tasks import (
    Batch,
    DataSet,
    digits,
    new_tasks,
    sequences,
)
from snippets.icl.training.inner_steps import (
    Answers,
    Asked,
    Examples,
    Steps,
    Wanted,
    answers,
    check_examples,
    cross_entropy,
    fit,
    outer_loss,
    squared,
    trained_start,
)
from snippets.icl.training.meta_training import Training as MetaTraining
from snippets.icl.training.meta_training import meta_train
from snippets.icl.training.rivals import Neighbours, Predict, Ridge, counted


@dataclass(frozen=True)
class Reading:
    """A transformer that reads the examples."""

    rate: float = 3e-3  # of Adam
    muon_rate: float | None = None  # of Muon, for the layers' matrices; None: Adam too
    width: int = 32
    n_heads: int = 2


Way = Reading | Steps | Neighbours | Ridge


# --8<-- [start:questions]
def questions(
    x: Examples, y: Wanted, asked: Asked
) -> tuple[Float[Tensor, "prompt n_and_1 d_in"], Float[Tensor, "prompt n_and_1 d_out"]]:
    """A prompt for each question: the examples, then the question; its y is 0."""
    check_examples(x)
    prompt = lambda z: z.repeat_interleave(asked.shape[1], 0)  # noqa: E731
    x = torch.cat([prompt(x), asked.flatten(0, 1)[:, None]], 1)
    return x, F.pad(prompt(y), (0, 0, 0, 1))


# --8<-- [end:questions]


# --8<-- [start:waves]
@dataclass(frozen=True)
class Waves:
    n_steps: int = 640  # outer steps
    batch: int = 25  # tasks in each
    n_points: int = 21  # of a task: examples and questions together
    d_in, d_out, loss = 1, 1, staticmethod(squared)

    def draws(self, training: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield wave_points(sinusoids(self.batch, training), self.n_points, training)

    def reader(
        self, way: Reading, weights: Generator, training: Generator, **loop
    ) -> Predict:
        transformer = self.transformer(way, weights)
        tasks = self.draws(training)

        def draw(batch: int) -> Prompts:
            x, y = next(tasks)
            return Prompts(
                with_one(x), y[..., 0], with_one(x)[:, 0]
            )  # nobody reads the w

        rates = {"muon_rate": way.muon_rate, "adam_rate": way.rate}
        train(transformer, draw, Training(self.n_steps, self.batch, **rates), **loop)  # type: ignore[arg-type]
        return partial(read_waves, transformer.requires_grad_(False))

    def transformer(self, way: Reading, weights: Generator) -> RegressionTransformer:
        sizes = Sizes(d=2, n_layers=2, width=way.width, n_heads=way.n_heads)
        return RegressionTransformer(sizes, weights)

    def reader_parameters(self, way: Reading) -> int:
        return size_of(self.transformer(way, Generator()))


def with_one(x: Float[Tensor, "*batch point 1"]) -> Float[Tensor, "*batch point 2"]:
    return torch.cat([x, torch.ones_like(x)], -1)


def read_waves(
    transformer: RegressionTransformer, x: Examples, y: Wanted, asked: Asked
) -> Answers:
    x, y = questions(x, y, asked)
    return transformer(with_one(x), y[..., 0])[:, -1].view(*asked.shape)


# --8<-- [end:waves]


# --8<-- [start:digits]
@dataclass(frozen=True)
class Digits:
    n_steps: int = 500
    batch: int = 16
    n_points: int = 21
    n_ways: int = 5  # classes of a task: the digits 0, 1, ...
    d_in: int = 16  # of a projected image
    start_steps: int = 40  # an easier start, for all: so many steps with two classes
    seed: int = 0  # which images are held out
    loss = staticmethod(cross_entropy)

    @property
    def d_out(self) -> int:
        return self.n_ways

    @cached_property
    def data(self) -> dict[str, DataSet]:
        if not 2 <= self.n_ways <= 5:
            raise ValueError(
                f"{self.n_ways} ways: there are ten classes, five to train on and five "
                "kept for the exam, so take 2 to 5"
            )
        first, others = range(self.n_ways), range(5, 5 + self.n_ways)
        return digits(first, others, streams(self.seed, 5)[4])

    def draws(self, training: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """As `meta_train` draws them."""
        data = self.data["train"]
        for step in count():
            source = data.first(2) if step < self.start_steps else data
            tasks = new_tasks(self.batch, data, self.d_in, self.n_ways, training)
            found = sequences(source, tasks, self.n_points, training)
            yield found.x, self.one_hot(found)

    def one_hot(self, batch: Batch) -> Wanted:
        return F.one_hot(batch.label, self.n_ways).float()

    def reader(
        self, way: Reading, weights: Generator, training: Generator, **loop
    ) -> Predict:
        how = MetaTraining(
            self.n_ways, self.d_in, self.n_points, self.batch, way.rate,
            n_steps=self.n_steps, start_steps=self.start_steps,
        )  # fmt: skip
        shape = Shape(way.width, n_heads=way.n_heads)
        data = self.data["train"]
        found = meta_train(shape, how, data, None, weights, training, **loop)
        return partial(read_labels, found.requires_grad_(False))

    def reader_parameters(self, way: Reading) -> int:
        shape = Shape(way.width, n_heads=way.n_heads)
        return size_of(ContextClassifier(self.d_in, self.n_ways, shape, Generator()))


def size_of(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def read_labels(
    classifier: ContextClassifier, x: Examples, y: Wanted, asked: Asked
) -> Answers:
    x, y = questions(x, y, asked)
    return classifier(x, y.argmax(-1))[:, -1].view(*asked.shape[:2], -1)


# --8<-- [end:digits]

Setting = Waves | Digits


# --8<-- [start:learner]
def learner(setting: Setting, way: Way, seed: int, **loop) -> Predict:
    """Whatever training a way needs. What comes out takes (x, y, asked) and answers."""
    weights, training, splits = streams(seed, 3)  # test tasks are drawn from the fourth
    if isinstance(way, Reading):
        return setting.reader(way, weights, training, **loop)
    if isinstance(way, Steps):
        draw = partial(next, setting.draws(training))
        start = trained_start(
            way, setting.loss, draw, setting.n_steps, weights, splits, **loop
        )
        return partial(answers, start, way, setting.loss)
    return way


# --8<-- [end:learner]


# --8<-- [start:costs]
def training_flops(setting: Setting, way: Way) -> int | float:
    """Of all that comes before the new task."""
    if isinstance(way, Reading):
        once = replace(setting, n_steps=1)
        return setting.n_steps * counted(lambda: learner(once, way, 0))
    if not isinstance(way, Steps) or way.start == "random":
        return 0.0
    x, y = next(setting.draws(Generator().manual_seed(0)))
    start = [part.requires_grad_() for part in new_start(setting, way)]
    half = setting.n_points // 2  # the mean split lies between this and the next
    work = lambda n: outer_loss(start, way, setting.loss, x, y, n).backward()  # noqa: E731
    return (
        setting.n_steps * sum(counted(partial(work, n)) for n in (half, half + 1)) / 2
    )


def task_flops(setting: Setting, way: Way, predict: Predict, n: int) -> int:
    """Of learning one new task from n examples and answering one question."""
    if isinstance(way, Neighbours | Ridge):
        return way.flops(n, setting.d_in, setting.d_out)
    x, y = torch.randn(1, n, setting.d_in), torch.zeros(1, n, setting.d_out)
    asked = torch.randn(1, 1, setting.d_in)
    if isinstance(way, Reading):
        return counted(lambda: predict(x, y, asked))
    start = new_start(setting, way)
    fitted: Callable[[], Weights] = lambda: fit(  # noqa: E731
        start, way, setting.loss, x, y, way.n_steps
    )
    return counted(lambda: network(fitted(), asked))


def new_start(setting: Setting, way: Steps) -> Weights:
    widths = (setting.d_in, way.hidden, way.hidden, setting.d_out)
    return new_weights(widths, Generator().manual_seed(0))


# --8<-- [end:costs]
