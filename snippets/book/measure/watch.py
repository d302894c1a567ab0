"""How far a build is, told to a terminal by a bar and to a page in draft by a small file, build/progress.json."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from snippets.book.measure.pool import Task
from snippets.book.paths import BUILD

EVERY = 0.5  # seconds between two writes
UNKNOWN = 20.0  # core-seconds that a task takes if nobody knows better


class Board:
    """Adds up the tasks of each experiment. `begun` tells how many units of each there are, and are there already."""

    def __init__(self, begun: dict[str, tuple[int, int]], seeds: int, bar: Progress | None, told: bool) -> None:
        self.begun, self.seeds, self.bar, self.told = begun, seeds, bar, told
        self.line = bar.add_task("", total=1) if bar else None
        self.last = 0.0

    def __call__(self, tasks: list[Task]) -> None:
        if self.bar and self.line is not None:
            costs = [UNKNOWN if task.cost is None else task.cost for task in tasks]
            done = sum(cost * task.share for cost, task in zip(costs, tasks))
            open_ = sum(task.share < 1 for task in tasks)
            self.bar.update(self.line, total=sum(costs) or 1, completed=done, description=f"{open_} tasks to go")
        if self.told and time.time() - self.last >= EVERY:
            self.last = time.time()
            self.write(tasks, running=True)

    def write(self, tasks: list[Task], running: bool, problem: str = "") -> None:
        """Tell how far each experiment is: the share of its units' work that is done, and how many seeds that makes."""
        experiments = {}
        for name, (units, there) in self.begun.items():
            mine = [task.share for task in tasks if task.about and task.about[0] == name]
            share = (there + sum(mine)) / units if units else 1.0
            experiments[name] = {"share": round(share, 4), "seeds": int(share * self.seeds + 1e-9)}
        told = {
            "experiments": experiments, "of": self.seeds, "problem": problem, "running": running, "pid": os.getpid(),
            "time": time.time(),
        }  # fmt: skip
        path = path_of_progress()
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".unfinished-progress-{os.getpid()}")
        unfinished.write_text(json.dumps(told), encoding="utf-8")
        unfinished.replace(path)


def path_of_progress() -> Path:
    return BUILD / "progress.json"


@contextmanager
def board(begun: dict[str, tuple[int, int]], seeds: int, told: bool = True) -> Iterator[Board]:
    """A board with a bar, where there is a terminal. Only what is `told` goes into build/progress.json."""
    if not sys.stderr.isatty():
        yield Board(begun, seeds, None, told)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        yield Board(begun, seeds, bar, told)


def read() -> dict[str, Any]:
    """The last word of a build: {"experiments": {name: {"share", "seeds"}}, "of", "problem", "running", "time"}."""
    try:
        told = json.loads(path_of_progress().read_text(encoding="utf-8"))
        os.kill(told["pid"], 0)
        return told
    except ProcessLookupError:
        return told | {"running": False}
    except (OSError, ValueError, KeyError):
        return {"experiments": {}, "of": 0, "problem": "", "running": False, "time": time.time()}
