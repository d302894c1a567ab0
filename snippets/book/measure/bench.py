"""How fast does each experiment train? Time of a step, its arithmetic, and the share of what one core can do.

A step is one round of `progress.steps`. Its time is the median over some seconds; evaluations, which come every few
dozen steps, are no part of a median. Arithmetic is what torch's counter counts: matrix products, forward and backward.
The peak is a large matrix product in float32, on one thread.
"""

import itertools
import statistics
import time
from typing import Any

from snippets import progress
from snippets.book.measure import catalogue, machine, record, store, units
from snippets.book.measure.pool import Pool, Task
from snippets.book.paths import RECORD, SHOWN_PRESET

FILE = RECORD / "bench.json"
SEED = 1000  # none that the book reports
COUNTED = 30  # steps whose arithmetic is counted
SIZE = 1024  # of the matrices of the peak


class Enough(BaseException):
    """Ends a run in the middle; no experiment catches it."""


def all_of(names: list[str], seconds: float) -> dict[str, Any]:
    """Time these experiments, all if none is named, one after another; keep and return the table."""
    known = store.read_json(FILE) if names and FILE.exists() else None
    found = dict(known["experiments"]) if known else {}
    wanted = [catalogue.resolve(name) for name in names] or catalogue.discover()

    def done(task: Task, row: dict[str, Any]) -> None:
        found[task.name] = row

    function = "snippets.book.measure.bench:one"
    problems = Pool(workers=1).run([Task(name, function, (name, seconds)) for name in wanted], done)
    for line in problems:
        print(f"note: {line}")
    table = {
        "machine": {"cpu": machine.processor(), "threads": 1},
        "peak_gflops": round(peak(), 1),
        "experiments": {name: found[name] for name in sorted(found) if name in catalogue.discover()},
    }
    store.write_json(FILE, table)
    return table


def peak() -> float:
    """GFLOP/s of a float32 matrix product on one thread: the best of a few."""
    import torch

    torch.set_num_threads(1)
    a, b = torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)
    times = []
    for _ in range(8):
        began = time.process_time()
        torch.mm(a, b)
        times.append(time.process_time() - began)
    return 2 * SIZE**3 / min(times) / 1e9


def one(name: str, seconds: float) -> dict[str, Any]:
    """The row of one experiment: its first cell, on a seed of its own."""
    experiment = catalogue.load(name)
    cell, config = next(iter(experiment.cells(SHOWN_PRESET).items()))
    units.settle(SEED)
    lasted = step_times(experiment, config, seconds)
    flops = counted(experiment, config) if lasted else None
    step = statistics.median(lasted) if lasted else None
    rate = flops / step / 1e9 if flops and step else None
    known = record.read(name, SHOWN_PRESET)
    return {
        "cell": cell,
        "steps_timed": len(lasted),
        "ms_per_step": step and round(1000 * step, 4),
        "mflop_per_step": flops and round(flops / 1e6, 4),
        "gflops": rate and round(rate, 3),
        "share_of_peak": rate and round(rate / peak(), 4),
        "core_seconds": known and round(sum(about["core_seconds"] for about in known.units.values()), 1),
    }


def step_times(experiment: catalogue.Experiment, config: Any, seconds: float) -> list[float]:
    """Seconds of processor time between one step and the next, until so many seconds are over."""
    times: list[float] = []

    def tell(share: float) -> None:
        times.append(time.process_time())
        if times[-1] - times[0] > seconds:
            raise Enough

    run_until_enough(experiment, config, tell)
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def counted(experiment: catalogue.Experiment, config: Any) -> float | None:
    """Floating-point operations of a step: the median over a few. None where torch counts nothing."""
    from torch.utils.flop_counter import FlopCounterMode

    totals: list[int] = []
    with FlopCounterMode(display=False) as counter:

        def tell(share: float) -> None:
            totals.append(counter.get_total_flops())
            if len(totals) > COUNTED:
                raise Enough

        run_until_enough(experiment, config, tell)
    steps = [later - earlier for earlier, later in itertools.pairwise(totals)]
    return float(statistics.median(steps)) or None if steps else None


def run_until_enough(experiment: catalogue.Experiment, config: Any, tell: Any) -> None:
    try:
        with progress.watched_by(tell):
            experiment.module.run(config, SEED)
    except Enough:
        pass
