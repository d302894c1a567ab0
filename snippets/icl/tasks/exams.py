"""An exam for every way to learn from examples: tasks with examples to show and questions
to ask, and how wrong the answers are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.tasks.projected_tasks import DataSet, new_tasks, sequences


# --8<-- [start:exam]
@dataclass(frozen=True)
class Exam:
    """Labels are one-hot rows."""

    x: Float[Tensor, "task point d_in"]
    y: Float[Tensor, "task point d_out"]
    asked: Float[Tensor, "task asked d_in"]
    answer: Float[Tensor, "task asked d_out"]
    largest: float | None = None  # no value lies beyond; None: labels are asked


def errors(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor], exam: Exam, n: int
) -> Float[np.ndarray, " task"]:
    """Of each task, after its first n examples: the mean squared error, or the share of
    wrong labels. Whoever answers beyond the largest value is taken to say that value.
    """
    if not 1 <= n <= exam.x.shape[1]:
        raise ValueError(
            f"{n} examples: the exam shows {exam.x.shape[1]}, so ask for 1 to as many"
        )
    with torch.enable_grad():
        said = predict(exam.x[:, :n], exam.y[:, :n], exam.asked).detach()
    if exam.largest is None:
        wrong = said.argmax(-1) != exam.answer.argmax(-1)
        return wrong.float().mean(-1).numpy()
    said = said.nan_to_num(exam.largest).clamp(-exam.largest, exam.largest)
    return (said - exam.answer).square().mean((-2, -1)).numpy()


# --8<-- [end:exam]


def digits_exam(
    data: DataSet,
    n_tasks: int,
    n: int,
    n_asked: int,
    d_in: int,
    n_labels: int,
    generator: Generator,
) -> Exam:
    """New tasks made of the data: projected, and named anew."""
    tasks = new_tasks(n_tasks, data, d_in, n_labels, generator)
    found = sequences(data, tasks, n + n_asked, generator)
    y = F.one_hot(found.label, n_labels).float()
    return Exam(found.x[:, :n], y[:, :n], found.x[:, n:], y[:, n:])
