"""Is reading examples any better than learning from them by steps, or by a formula?

Source: finn2017, section 5.1, for the waves; the table is ours. Here every way that is
trained sees the same 10,000 tasks, and its settings are the best of six trials.
"""

from dataclasses import dataclass

import numpy as np
import torch

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.streams import streams
from snippets.icl.tasks.waves_to_learn import (
    BEYOND,
    by_least_squares,
    oracle,
    wave_exam,
)
from snippets.icl.training.contenders import Waves
from snippets.icl.training.contenders_tried import chosen
from snippets.icl.training.contest import costs, lenient, marks, trained
from snippets.icl.training.rivals import Predict


@dataclass(frozen=True)
class Config:
    n_steps: int = 400  # outer steps, of 25 tasks each
    shots: tuple[int, ...] = (1, 2, 5, 10, 20)  # examples shown
    n_test: int = 128  # tasks
    n_asked: int = 16  # questions in each
    beyond: int = 10  # examples shown in the tasks beyond training's range


PRESETS = {"laptop": Config()}
WAYS = (*chosen("waves"), "features", "oracle")


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    setting, ways, shots = Waves(config.n_steps), chosen("waves"), config.shots
    predicts = trained(setting, ways, seed)
    known = {"features": by_least_squares, "oracle": oracle}  # who know what waves are
    tests = streams(seed, 4)[3]
    exams = {
        kind: wave_exam(kind, config.n_test, max(shots), config.n_asked, tests)
        for kind in BEYOND
    }
    size = {kind: e.answer.square().mean().item() for kind, e in exams.items()}
    away = {
        kind: marks(lenient(predicts) | known, exams[kind], (config.beyond,))[:, 0]
        / size[kind]
        for kind in BEYOND
    }
    return {
        "shots": np.array(shots),
        "error": marks(predicts | known, exams["as trained"], shots),
        "away": np.stack([away[kind] for kind in BEYOND]),  # of predicting 0
        "nothing": size["as trained"],  # the error of predicting 0
        **costs(setting, ways, predicts, shots),
        **one_wave(predicts),
    }


# --8<-- [end:run]


SHOWN = torch.tensor([[[-4.2], [-2.6], [-0.4], [1.1], [3.7]]])
GRID = torch.linspace(-5, 5, 61)[None, :, None]


def one_wave(predicts: dict[str, Predict]) -> dict[str, np.ndarray]:
    """What five points of one wave make each way say of all its range."""
    wave = lambda x: 3.5 * torch.sin(x - 1.0)  # noqa: E731
    found = [p(SHOWN, wave(SHOWN), GRID)[0, :, 0].detach() for p in predicts.values()]
    return {
        "grid": GRID[0, :, 0].numpy(),
        "shown": torch.cat([SHOWN, wave(SHOWN)], -1)[0].numpy(),
        "wave": wave(GRID)[0, :, 0].numpy(),
        "said": torch.stack(found).numpy(),
    }


def at(m: Measurements, way: str, n: int) -> float:
    """The squared error of a way after n examples."""
    return float(m["error"][WAYS.index(way), place(m, n)])


def place(m: Measurements, n: int) -> int:
    return int(np.flatnonzero(m["shots"] == n)[0])


def over(m: Measurements, one: str, other: str, n: int) -> float:
    return at(m, one, n) / at(m, other, n)


def over_all(m: Measurements, n: int) -> float:
    """Reading's error over that of the best of all who were not told what waves are."""
    rivals = [at(m, way, n) for way in WAYS if way not in ("icl", "features", "oracle")]
    return at(m, "icl", n) / min(rivals)


def over_nothing(m: Measurements, way: str) -> float:
    """The error of a way after two examples, over that of always saying 0."""
    return float(at(m, way, 2) / m["nothing"])


def share(m: Measurements, way: str, kind: str) -> float:
    """Its error on tasks of that kind, over that of always saying 0."""
    return float(m["away"][BEYOND.index(kind), WAYS.index(way)])


def flops(m: Measurements, way: str) -> float:
    """For one new task of ten examples."""
    return float(m["task_flops"][WAYS.index(way), place(m, 10)])


def before(m: Measurements, one: str, other: str, name: str) -> float:
    """What one way has in training or parameters, over what another has."""
    return float(m[name][WAYS.index(one)] / m[name][WAYS.index(other)])


def paid_back(m: Measurements) -> float:
    """After so many new tasks reading, training included, has cost less than learning
    each from scratch."""
    saved = flops(m, "scratch") - flops(m, "icl")
    return float(m["training_flops"][WAYS.index("icl")] / saved)


# fmt: off
CLAIMS = [
    Claim("few", lambda m: max(over_all(m, n) for n in (1, 2, 5)), below(0.8), "of the best rival's error, at most",
          "After one, two or five examples reading leaves less than four fifths of the error of the best way that was "
          "not told what waves are."),
    Claim("two", lambda m: at(m, "icl", 2), below(1.8), "",
          "After two examples reading leaves a squared error below 1.8."),
    Claim("wide-two", lambda m: at(m, "wide", 2), above(1.8), "", "MAML of the same size leaves more than 1.8."),
    Claim("one", lambda m: over(m, "icl", "oracle", 1), below(1.8), "times the least possible",
          "After one example its error is less than 1.8 times the least possible."),
    Claim("ten", lambda m: over(m, "icl", "fourier", 10), below(0.6), "of ridge's",
          "After ten it leaves less than 0.6 of the error of ridge on random waves."),
    Claim("overtaken", lambda m: over(m, "fourier", "icl", 20), below(1), "of reading's",
          "After twenty, ridge on random waves leaves less error than reading."),
    Claim("features", lambda m: at(m, "features", 2), below(1e-6), "",
          "Ridge on sin x and cos x leaves less than a millionth after two examples: rounding."),
    Claim("not-exact", lambda m: at(m, "icl", 20), above(0.012), "",
          "Reading leaves more than 0.012 after twenty."),
    Claim("as-large", lambda m: over(m, "wide", "icl", 10), above(2), "times reading's error",
          "MAML of the same size leaves more than twice reading's error after ten examples."),
    Claim("same-size", lambda m: before(m, "wide", "icl", "parameters"), between(0.9, 1.1), "of reading's parameters",
          "It has as many parameters, within a tenth."),
    Claim("same-training", lambda m: before(m, "wide", "icl", "training_flops"), between(0.9, 1.2),
          "times reading's FLOPs",
          "And its training took as many FLOPs, within a fifth."),
    Claim("first", lambda m: over(m, "first", "maml", 10), above(1), "times MAML's",
          "After ten examples first-order MAML leaves more than MAML."),
    Claim("anil", lambda m: over(m, "anil", "maml", 10), below(0.9), "of MAML's",
          "ANIL leaves less than nine tenths of MAML's error."),
    Claim("scratch-few", lambda m: over_nothing(m, "scratch"), above(1.4), "times the error of saying 0",
          "A network trained from scratch on two examples does worse than always saying 0, by more than 1.4 times."),
    Claim("tuned-few", lambda m: over_nothing(m, "tuned"), above(1.1), "times the error of saying 0",
          "So does the fine-tuned one, by more than 1.1 times."),
    Claim("tuned-many", lambda m: over(m, "tuned", "wide", 20), below(0.7), "of the large MAML's",
          "After twenty examples fine-tuning leaves less than 0.7 of the error of the larger MAML."),
    Claim("tuned-behind", lambda m: over(m, "tuned", "icl", 20), above(1), "times reading's",
          "It still leaves more than reading's."),
    Claim("neighbour", lambda m: over(m, "neighbour", "icl", 20), above(3), "times reading's",
          "After twenty examples the nearest neighbours leave more than three times reading's error."),
    Claim("higher", lambda m: share(m, "icl", "higher") / share(m, "icl", "as trained"), above(4), "times as large",
          "On waves higher than any of training, reading's share of error is more than four times as large."),
    Claim("further", lambda m: share(m, "icl", "further"), above(0.8), "times the error of saying 0",
          "Where no point of training lay, it leaves more than 0.8 of the error of always saying 0."),
    Claim("wide-further", lambda m: share(m, "wide", "further"), above(1), "times the error of saying 0",
          "There the large MAML is worse than always saying 0."),
    Claim("fourier-higher", lambda m: share(m, "fourier", "higher") / share(m, "fourier", "as trained"),
          between(0.4, 2.5), "times what it is in range",
          "Ridge on random waves errs about as much, in proportion, on the higher waves."),
    Claim("fourier-ahead", lambda m: share(m, "fourier", "higher") / share(m, "icl", "higher"), below(0.85),
          "of reading's",
          "There it leaves less than 0.85 of reading's error, after ten examples."),
    Claim("fourier-further", lambda m: share(m, "fourier", "further"), below(0.1), "of the error of saying 0",
          "In the places of no training it leaves less than a tenth of the error of saying 0."),
    Claim("features-away", lambda m: max(share(m, "features", kind) for kind in BEYOND), below(1e-6), "",
          "Ridge on sin x and cos x leaves less than a millionth of the error of saying 0 on higher waves and in other "
          "places."),
    Claim("cheaper", lambda m: flops(m, "scratch") / flops(m, "icl"), above(2), "times as many FLOPs",
          "A network from scratch takes more than twice the FLOPs of reading for a new task of ten examples."),
    Claim("wide-dear", lambda m: flops(m, "wide") / flops(m, "icl"), above(4), "times as many FLOPs",
          "The large MAML takes more than four times."),
    Claim("fourier-cheap", lambda m: flops(m, "fourier") / flops(m, "icl"), below(0.1), "of reading's FLOPs",
          "Ridge on random waves takes less than a tenth."),
    Claim("paid-back", paid_back, below(10_000), "new tasks",
          "In FLOPs, reading's training is paid back after fewer new tasks than the 10,000 that it saw."),
]
# fmt: on
