"""The diagram of a pool of tasks: what memory says of a task that is not in it, and what ridge says."""

import torch

from snippets.diagrams.vocabulary import Drawing
from snippets.icl.theory import oracles, task_prior

FOUR = (-1.2, -0.3, 0.5, 1.6)
MANY = tuple(-2.1 + 0.25 * i for i in range(17))
EXAMPLES = (
    (1.0, 1.0),
    (2.0, 2.0),
    (1.0, 1.0),
    (2.0, 2.0),
)  # of slope 1, in no pool of four
NOISE = 0.5


def slopes(pool: tuple[float, ...]) -> tuple[float, float]:
    """The slope that memory says after the examples, and the one that ridge says."""
    x = torch.tensor([[[a] for a, _ in EXAMPLES]], dtype=torch.float64)
    y = torch.tensor([[b for _, b in EXAMPLES]], dtype=torch.float64)
    tasks = torch.tensor(pool, dtype=torch.float64)[:, None]
    weights = task_prior.posterior(x, y, tasks, NOISE)[0, -1]
    return float(weights @ tasks[:, 0]), float(oracles.ridge(x, y, NOISE**2)[0, 0])


def fan(d: Drawing, left: float, pool: tuple[float, ...]) -> None:
    """Lines y = w x of a pool in a square of 125, with the two answers and the examples."""
    middle, unit = 122.0, 27.0  # where y = 0, and how long 1 is

    def at(x: float, y: float) -> tuple[float, float]:
        return left + 40 * x, middle - unit * y

    for w in pool:
        reach = min(2.6, 3.2 / abs(w)) if w else 2.6
        d.line(*at(0, 0), *at(reach, w * reach), "faint")
    memory, ridge = slopes(pool)
    for w, kind in ((memory, "read"), (ridge, "write")):
        d.line(*at(0, 0), *at(3.05, 3.05 * w), kind)
    for x, y in EXAMPLES[:2]:
        d.dot(*at(x, y))
    near = abs(memory - ridge) < 0.15
    d.text(
        *at(3.12, 3.05 * ridge), "both" if near else "ridge", "write", anchor="start"
    )
    if not near:
        d.text(*at(3.12, 3.05 * memory), "memory", "read", anchor="start")


def two_pools() -> Drawing:
    d = Drawing(height=232)
    d.text(80, 10, "4 tasks known", "strong")
    d.text(256, 10, "17 tasks known", "strong")
    fan(d, 14, FOUR)
    fan(d, 188, MANY)
    d.text(172, 222, "grey: known slopes; dots: the prompt, of slope 1", "faint")
    return d


DIAGRAMS = {"two-pools": two_pools}
