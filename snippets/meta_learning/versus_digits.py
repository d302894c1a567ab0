"""Does reading examples beat its rivals on real images, and on data that none has seen?

Source: kirsch2022, section 3.1, for the tasks; the table is ours. The learner in context
is that of general_purpose.py. Every way that is trained sees the same 8,000 tasks of five
digits, and its settings are the best of six trials. Then, without further training: new
tasks of held-out images, of five digits never seen, and of three tables of numbers. It takes some
130 core-seconds over five seeds, an exception that is declared.
"""

from dataclasses import dataclass

import numpy as np

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.streams import streams
from snippets.icl.tasks.exams import Exam, digits_exam
from snippets.icl.tasks.projected_tasks import TABLES, DataSet, table
from snippets.icl.training.contenders import Digits
from snippets.icl.training.contenders_tried import chosen
from snippets.icl.training.contest import costs, lenient, marks, trained


@dataclass(frozen=True)
class Config:
    n_steps: int = 500  # outer steps, of 16 tasks each
    shots: tuple[int, ...] = (1, 2, 5, 10, 20)  # examples shown
    n_test: int = 128  # tasks
    n_elsewhere: int = 48  # tasks of each data set never seen
    n_asked: int = 16  # questions in each


PRESETS = {"laptop": Config()}
WAYS = tuple(chosen("digits"))
ELSEWHERE = ("other digits", *TABLES)


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    setting, ways = Digits(config.n_steps, seed=seed), chosen("digits")
    predicts = trained(setting, ways, seed)
    tests, most = streams(seed, 4)[3], max(config.shots)

    def exam(data: DataSet, n_tasks: int) -> Exam:
        sizes = (n_tasks, most, config.n_asked, setting.d_in, setting.d_out)
        return digits_exam(data, *sizes, tests)

    error = marks(predicts, exam(setting.data["held out"], config.n_test), config.shots)
    data = [setting.data["other digits"], *map(table, TABLES)]
    new = [exam(d, config.n_elsewhere) for d in data]
    elsewhere = [marks(lenient(predicts), test, (most,))[:, 0] for test in new]
    return {
        "shots": np.array(config.shots),
        "right": 1 - error,  # (way, shot)
        "elsewhere": 1
        - np.stack(elsewhere),  # (data set, way), after the most examples
        "chance": 1 / setting.n_ways,
        **costs(setting, ways, predicts, config.shots),
    }


# --8<-- [end:run]


UNTRAINED = ("scratch", "neighbour", "ridge", "fourier")


def at(m: Measurements, way: str, n: int) -> float:
    """The share of right answers of a way after n examples."""
    return float(m["right"][WAYS.index(way), place(m, n)])


def place(m: Measurements, n: int) -> int:
    return int(np.flatnonzero(m["shots"] == n)[0])


def ahead(m: Measurements, one: str, other: str, n: int) -> float:
    """How many more answers of a hundred are right."""
    return 100 * (at(m, one, n) - at(m, other, n))


def away(m: Measurements, way: str, data: str) -> float:
    """Its share of right answers on a data set never seen, after the most examples."""
    return float(m["elsewhere"][ELSEWHERE.index(data), WAYS.index(way)])


def ahead_elsewhere(m: Measurements) -> float:
    """Where reading does best beside those who were trained on nothing: how many more
    answers of a hundred are right."""
    return 100 * max(
        away(m, "icl", data) - max(away(m, way, data) for way in UNTRAINED)
        for data in ELSEWHERE
    )


def flops(m: Measurements, way: str) -> float:
    """For one new task of twenty examples, over reading's."""
    found = m["task_flops"][:, place(m, 20)]
    return float(found[WAYS.index(way)] / found[WAYS.index("icl")])


# fmt: off
CLAIMS = [
    Claim("one", lambda m: ahead(m, "icl", "neighbour", 1), above(2), "answers in 100",
          "After one example reading is ahead of the nearest neighbour by more than 2 answers in 100."),
    Claim("ridge", lambda m: max(ahead(m, "icl", "ridge", int(n)) for n in m["shots"]), below(5), "answers in 100",
          "At no number of examples is it ahead of ridge on the raw inputs by 5 answers in 100."),
    Claim("many", lambda m: max(ahead(m, way, "icl", 20) for way in ("scratch", "neighbour")), above(0),
          "answers in 100",
          "After twenty examples a network from scratch or the nearest neighbour is right more often than reading."),
    Claim("tuned-ahead", lambda m: ahead(m, "tuned", "icl", 20), above(0), "answers in 100",
          "So is the fine-tuned network."),
    Claim("icl", lambda m: at(m, "icl", 20), between(0.6, 0.8), "", "Reading is right in six to eight answers of ten."),
    Claim("scratch", lambda m: at(m, "scratch", 20), between(0.65, 0.82), "",
          "From scratch it is 0.65 to 0.82."),
    Claim("maml", lambda m: abs(ahead(m, "maml", "icl", 20)), below(8), "answers in 100",
          "After twenty examples MAML and reading are within 8 answers in 100 of each other."),
    Claim("anil", lambda m: ahead(m, "maml", "anil", 20), above(3), "answers in 100",
          "ANIL is behind MAML by more than 3 answers in 100."),
    Claim("tuned", lambda m: abs(ahead(m, "tuned", "scratch", 20)), below(4), "answers in 100",
          "Pretraining on all tasks at once changes what fine-tuning reaches by less than 4 answers in 100."),
    Claim("elsewhere", lambda m: -ahead_elsewhere(m), above(0), "answers in 100",
          "On each of the four data sets never seen, some way that was trained on nothing is ahead of reading."),
    Claim("neighbour-cost", lambda m: flops(m, "neighbour"), below(0.001), "of reading's FLOPs",
          "The nearest neighbour takes less than a thousandth of reading's FLOPs."),
    Claim("scratch-cost", lambda m: flops(m, "scratch"), above(2), "times reading's FLOPs",
          "A network from scratch takes more than twice."),
]
# fmt: on
