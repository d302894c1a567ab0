"""One side of a race, in a process of its own: it answers requests, one line of JSON each.

    python -m snippets.benchmarks.worker von_oswald ours
    python -m snippets.benchmarks.worker von_oswald theirs FOLDER_OF_ITS_MODULES

A side is a module with `trainer(seed)`, or `trainer(seed, modules)` for the authors'. What it returns has `step()`, one
update with data drawn anew; `look()`, what the goal asks on held-out data, where there is a goal; and `finish()`, which
waits for work that was only asked for. Time is processor time of the whole process, so a busy machine changes little.
"""

import contextlib
import importlib
import importlib.metadata
import json
import os
import sys
import time
from typing import Any, Protocol

from snippets.benchmarks.papers import PAPERS, Paper

WARM_UP = 5  # steps that no time counts: compilation, first touches of memory


class Trainer(Protocol):
    def step(self) -> None: ...
    def look(self) -> float: ...
    def finish(self) -> None: ...


class Side:
    """Answers what the race asks."""

    def __init__(self, paper: Paper, side: str, modules: tuple[str, ...]) -> None:
        self.paper = paper
        self.module = importlib.import_module(f"snippets.benchmarks.{side}.{paper.sides}")
        self.modules = modules
        self.options = dict(paper.options) if side == "theirs" else {}
        self.packages = ("torch", "numpy") if side == "ours" else paper.libraries
        self.timed = self.trainer(seed=1000)

    def trainer(self, seed: int, **options: float) -> Trainer:
        return self.module.trainer(seed, *self.modules, **self.options, **options)

    def about(self) -> dict[str, Any]:
        """The versions of what it runs on."""
        return {name: importlib.metadata.version(name) for name in self.packages}

    def warm_up(self) -> float:
        """Milliseconds of a step, roughly."""
        take(self.timed, WARM_UP)
        return take(self.timed, WARM_UP)

    def time(self, steps: int) -> float:
        """Milliseconds of processor time a step."""
        return take(self.timed, steps)

    def reach(self, seed: int) -> dict[str, float | int | None]:
        """Steps and core-seconds of training to the goal, without the looks; no steps where it is not reached."""
        goal = self.paper.goal
        assert goal is not None
        trainer = self.trainer(seed, **({"rate": goal.rate} if goal.rate else {}))
        steps, seconds, found = 0, 0.0, trainer.look()
        while not goal.reached(found) and steps < goal.at_most:
            seconds += take(trainer, goal.every) * goal.every / 1000
            steps += goal.every
            found = trainer.look()
        arrived = goal.reached(found)
        return {
            "seed": seed,
            "steps": steps if arrived else None,
            "core_seconds": round(seconds, 2),
            "at_the_end": round(found, 5),
        }

    def weigh(self, file: str) -> float:
        """The loss on weights and data that both sides share: theirs writes them, ours reads them."""
        return self.module.weigh(self.timed, file)


def take(trainer: Trainer, steps: int) -> float:
    """Take so many steps; milliseconds of processor time for one."""
    began = time.process_time()
    for _ in range(steps):
        trainer.step()
    trainer.finish()
    return 1000 * (time.process_time() - began) / steps


def main(name: str, side: str, *modules: str) -> None:
    """Answer requests until there are no more. What the authors' code prints goes to standard error."""
    if hasattr(os, "sched_setaffinity"):  # one core, the same for both sides
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path[:0] = modules
    with contextlib.redirect_stdout(sys.stderr):
        try:
            here = Side(PAPERS[name], side, modules)
            answers.write("{}\n")
        except Exception as error:
            answers.write(json.dumps({"problem": f"{type(error).__name__}: {error}".splitlines()[0]}) + "\n")
            return
        finally:
            answers.flush()
        for line in sys.stdin:
            request, *arguments = json.loads(line)
            answers.write(json.dumps({"answer": getattr(here, request)(*arguments)}) + "\n")
            answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
