"""Ways to learn, side by side: trained on the same tasks, examined on the same tasks, and
what each costs.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from snippets.icl.tasks.exams import Exam, errors
from snippets.icl.training.contenders import (
    Reading,
    Setting,
    Way,
    learner,
    new_start,
    task_flops,
    training_flops,
)
from snippets.icl.training.inner_steps import Steps, answers
from snippets.icl.training.rivals import Predict


# --8<-- [start:contest]
def trained(setting: Setting, ways: Mapping[str, Way], seed: int) -> dict[str, Predict]:
    return {
        name: learner(setting, way, seed, loop=number, of=len(ways))
        for number, (name, way) in enumerate(ways.items())
    }


def marks(
    predicts: Mapping[str, Predict], exam: Exam, shots: Sequence[int]
) -> Float[np.ndarray, "way shot"]:
    """The mean error over tasks of each way after each number of examples."""
    found = [
        [errors(predict, exam, n).mean() for n in shots]
        for predict in predicts.values()
    ]
    return np.array(found, np.float32)


def lenient(predicts: Mapping[str, Predict]) -> dict[str, Predict]:
    """The same, but steps that diverge are no error: for tasks unlike those of training."""
    by_steps = lambda p: isinstance(p, partial) and p.func is answers  # noqa: E731
    return {
        name: partial(p, strict=False) if by_steps(p) else p  # type: ignore[call-arg]
        for name, p in predicts.items()
    }


def costs(
    setting: Setting,
    ways: Mapping[str, Way],
    predicts: Mapping[str, Predict],
    shots: Sequence[int],
) -> dict[str, np.ndarray]:
    """FLOPs of one new task after each number of examples, and of all training before."""
    task = [
        [task_flops(setting, way, predicts[name], n) for n in shots]
        for name, way in ways.items()
    ]
    before = [training_flops(setting, way) for way in ways.values()]
    return {
        "task_flops": np.array(task, np.float64),
        "training_flops": np.array(before, np.float64),
        "parameters": np.array([parameters(setting, way) for way in ways.values()]),
    }


# --8<-- [end:contest]


def parameters(setting: Setting, way: Way) -> int:
    """How many numbers a network of that kind has; 0 where there is no network."""
    if isinstance(way, Steps):
        return sum(part.numel() for part in new_start(setting, way))
    if isinstance(way, Reading):
        return setting.reader_parameters(way)
    return 0
