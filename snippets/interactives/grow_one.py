"""The data of the figure to touch in chapter *grow-one*: every look at five trainings."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from snippets.contract import Measurements

PROBE, SECOND = "questionxbkwquestion", (12, 19)  # as in induction_heads/watch_it_grow


def data(runs: Callable[[str], list[Measurements]]) -> dict[str, Any]:
    found = runs("watch_it_grow")
    return {
        "probe": PROBE,
        "second": SECOND,
        "steps": found[0]["step"].tolist(),
        "runs": [one_run(m) for m in found],
    }


def one_run(m: Measurements) -> dict[str, Any]:
    return {
        "maps": b64encode(m["maps"].tobytes()).decode(),
        "right": b64encode(m["right"].tobytes()).decode(),
        "loss": rounded(m["loss"]),
        "previous": rounded(m["previous"][:, 0]),
        "prefix": rounded(m["prefix"][:, 1]),
        "heads": m["heads"].tolist(),
    }


def rounded(values: Any) -> list[list[float]]:
    return [[round(float(value), 4) for value in row] for row in values]
