"""What was tried for each way to learn, six settings for every one, and which of the six
was chosen: the best on tuning seeds, 1000 and 1001, in meta_learning/versus_trials.
"""

from dataclasses import replace
from itertools import product

from snippets.icl.training.contenders import Reading, Way
from snippets.icl.training.inner_steps import Steps
from snippets.icl.training.rivals import Neighbours, Ridge


def grid(way: Way, **knobs: tuple) -> tuple[Way, ...]:
    """Every combination, six in all; the last knob moves fastest."""
    found = tuple(
        replace(way, **dict(zip(knobs, values))) for values in product(*knobs.values())
    )
    if len(found) != 6:
        raise ValueError(f"{len(found)} settings to try: every way is given six")
    return found


# --8<-- [start:tried]
NEIGHBOURS = grid(Neighbours(), k=(1, 2, 3), by_distance=(False, True))
RIDGE = grid(Ridge(), strength=(0.01, 0.1, 1.0, 10.0, 100.0, 1000.0))
TRAINED_FOR = (1, 3)  # steps that a start is trained for
RATES = (1e-3, 3e-3)  # of the outer loop: where one step is all that can be afforded
MAML = Steps(n_steps=5)
FIRST = Steps("first order", n_steps=5)
ANIL = Steps(n_steps=5, last_only=True)
TUNED, SCRATCH = Steps("pretrained", adam=True), Steps("random", adam=True)
BY_ADAM = {"size": (3e-3, 0.01, 0.03), "n_steps": (30, 100)}

TRIED: dict[str, dict[str, tuple[Way, ...]]] = {
    "waves": {
        "icl": grid(Reading(), muon_rate=(0.03, 0.06, 0.12), rate=(3e-3, 0.01)),
        "maml": grid(MAML, size=(0.005, 0.01, 0.02), trained_for=TRAINED_FOR),
        "wide": grid(replace(MAML, hidden=156), size=(0.003, 0.006, 0.012), rate=RATES),
        "first": grid(FIRST, size=(0.005, 0.01, 0.02), trained_for=TRAINED_FOR),
        "anil": grid(ANIL, size=(0.02, 0.04, 0.08), trained_for=TRAINED_FOR),
        "tuned": grid(TUNED, **BY_ADAM),
        "scratch": grid(SCRATCH, **BY_ADAM),
        "neighbour": NEIGHBOURS,
        "ridge": RIDGE,
        "fourier": grid(Ridge(), scale=(0.5, 1.0, 2.0), strength=(1e-4, 1e-2)),
    },
    "digits": {
        "icl": grid(Reading(width=64), rate=(3e-3, 6e-3, 0.012), n_heads=(1, 2)),
        "maml": grid(MAML, size=(0.1, 0.3, 1.0), trained_for=TRAINED_FOR),
        "wide": grid(replace(MAML, hidden=176), size=(0.1, 0.3, 1.0), rate=RATES),
        "first": grid(FIRST, size=(0.1, 0.3, 1.0), trained_for=TRAINED_FOR),
        "anil": grid(ANIL, size=(0.5, 1.5, 5.0), trained_for=TRAINED_FOR),
        "tuned": grid(TUNED, **BY_ADAM),
        "scratch": grid(SCRATCH, **BY_ADAM),
        "neighbour": NEIGHBOURS,
        "ridge": RIDGE,
        "fourier": grid(Ridge(), scale=(2.0, 4.0, 8.0), strength=(0.01, 0.1)),
    },
}
# --8<-- [end:tried]

WINNER: dict[str, dict[str, int]] = {  # which of the six, from 0
    "waves": {
        "icl": 5,
        "maml": 5,
        "wide": 3,
        "first": 5,
        "anil": 5,
        "tuned": 3,
        "scratch": 5,
        "neighbour": 5,
        "ridge": 4,
        "fourier": 2,
    },
    "digits": {
        "icl": 2,
        "maml": 3,
        "wide": 3,
        "first": 4,
        "anil": 3,
        "tuned": 1,
        "scratch": 3,
        "neighbour": 0,
        "ridge": 3,
        "fourier": 4,
    },
}


def chosen(setting: str) -> dict[str, Way]:
    """The best of the six, for each way."""
    ways = TRIED[setting]
    return {name: six[WINNER[setting][name]] for name, six in ways.items()}
