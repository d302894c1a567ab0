"""Two sides in turn, round by round, so that what else the machine does meets both alike."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from snippets.benchmarks.papers import Paper
from snippets.book.errors import BookError
from snippets.book.paths import ROOT

ROUNDS = 9
LENGTH = 600.0  # milliseconds that a side trains in a round, at least
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "WANDB_MODE": "disabled",
}


class Worker:
    """A side's process."""

    def __init__(self, paper: Paper, side: str, *modules: str, python: str = sys.executable) -> None:
        self.paper, self.side = paper, side
        command = [python, "-m", "snippets.benchmarks.worker", paper.name, side, *modules]
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed by __exit__
        try:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | ONE_THREAD,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
            )
        except OSError as error:
            raise BookError(f"cannot start {python}: {error.strerror}; --python names an interpreter") from error
        self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def ask(self, *request: Any) -> Any:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.read()["answer"]

    def read(self) -> dict[str, Any]:
        """Its next answer. Raises BookError, in one line, where it has none."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"problem": self.last_words()}
        if "problem" in answer:
            self.process.kill()
            needs = f"; it was timed with {', '.join(self.paper.libraries)}" if self.side == "theirs" else ""
            raise BookError(
                f"{self.paper.name}, {self.side}: {answer['problem']}{needs}, see record/beside_authors.json"
            )
        return answer

    def last_words(self) -> str:
        self.errors.seek(0)
        return (self.errors.read().strip().splitlines() or ["it ended without a word"])[-1]


def run(paper: Paper, modules: Path, python: str, rounds: int, seeds: list[int]) -> dict[str, Any]:
    """Time both sides, unless there are no rounds, and take them to the goal on each seed."""
    with Worker(paper, "ours") as ours, Worker(paper, "theirs", str(modules), python=python) as theirs:
        found: dict[str, Any] = {
            **paper.described(),
            "versions": {"ours": ours.ask("about"), "theirs": theirs.ask("about")},
        }
        if rounds:
            found |= compared(ours, theirs, rounds)
        if rounds and paper.same:
            found["same_loss"] = same_loss(ours, theirs)
        if paper.goal and seeds:
            sides = {"ours": ours, "theirs": theirs}
            reached: dict[str, list] = {side: [] for side in sides}
            for seed in seeds:  # one seed on both sides, then the next
                for side, worker in sides.items():
                    reached[side].append(worker.ask("reach", seed))
            found["goal"] = paper.goal.what
            found["reached"] = reached
    return found


def compared(ours: Worker, theirs: Worker, rounds: int) -> dict[str, Any]:
    """Milliseconds a step: medians and ranges of rounds in turn; the ratio is taken round by round."""
    sides = (ours, theirs)
    steps = [max(2, round(LENGTH / side.ask("warm_up"))) for side in sides]
    times = [[side.ask("time", n) for side, n in zip(sides, steps)] for _ in range(rounds)]
    ratios = [b / a for a, b in times]
    return {
        "ours_ms": summary([a for a, _ in times]),
        "theirs_ms": summary([b for _, b in times]),
        "ratio": summary(ratios),
        "rounds": rounds,
    }


def summary(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 4),
        "low": round(min(values), 4),
        "high": round(max(values), 4),
    }


def same_loss(ours: Worker, theirs: Worker) -> dict[str, float]:
    """The loss of the same weights on the same data, on either side."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "weights.npz")
        b = theirs.ask("weigh", file)
        a = ours.ask("weigh", file)
    return {"ours": a, "theirs": b, "apart": abs(a / b - 1)}
