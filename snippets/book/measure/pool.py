"""One pool of worker processes for all that takes long: measuring, drawing, making labs.

A worker imports torch once and takes one task after another. A task is a function named by text and its arguments, so
that any part of the book can be asked for and nothing is copied but words. When this process ends, however it ends, its
workers end too.
"""

import contextlib
import ctypes
import importlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from snippets import progress
from snippets.book.errors import BookError

EVERY = 0.3  # seconds between two words about the progress of a task
TRIES = 2  # a worker that is killed takes its task with it; the task is tried again once


@dataclass(eq=False)
class Task:
    """Something to do in a worker."""

    name: str  # as an error names it
    function: str  # module:name
    arguments: tuple[Any, ...]
    cost: float | None = None  # expected core-seconds; None where nobody knows
    share: float = 0.0  # how much of it is done
    tries: int = 0
    about: Any = None  # for whoever asked


@dataclass
class Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None


@dataclass
class Pool:
    """Runs tasks side by side, the longest first."""

    workers: int
    tell: Callable[[list[Task]], None] = lambda tasks: None  # told all tasks, now and then
    waiting: list[Task] = field(default_factory=list)
    running: list[Worker] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # a line for each task that failed
    tasks: list[Task] = field(default_factory=list)

    def add(self, tasks: list[Task]) -> None:
        self.tasks += tasks
        self.waiting += tasks
        # what nobody knows the cost of goes first: it may be the longest
        self.waiting.sort(key=lambda task: -(float("inf") if task.cost is None else task.cost))

    def run(self, tasks: list[Task], done: Callable[[Task, Any], None]) -> list[str]:
        """Do all tasks, and those that `done` adds; returns a line for each that failed. The others are finished."""
        self.add(tasks)
        try:
            while self.waiting or any(worker.task for worker in self.running):
                self.deal()
                for worker in self.heard(timeout=EVERY):
                    self.hear(worker, done)
                self.tell(self.tasks)
        finally:
            self.stop()
        return self.problems

    def deal(self) -> None:
        """Give every idle worker a task; start another worker where there is room."""
        idle = [worker for worker in self.running if worker.task is None]
        while self.waiting and (idle or len(self.running) < self.workers):
            worker = idle.pop() if idle else self.start()
            task = worker.task = self.waiting.pop(0)
            task.tries += 1
            with contextlib.suppress(OSError):  # it has just died: `hear` says so
                worker.pipe.send((task.function, task.arguments))

    def start(self) -> Worker:
        context = multiprocessing.get_context("spawn")  # a fork would copy the locks of threads that it does not have
        here, there = context.Pipe()
        process = context.Process(target=work, args=(there, os.getpid()), daemon=True)
        process.start()
        there.close()
        worker = Worker(process, here)
        self.running.append(worker)
        return worker

    def heard(self, timeout: float) -> list[Worker]:
        ready = wait([worker.pipe for worker in self.running], timeout)
        return [worker for worker in self.running if worker.pipe in ready]

    def hear(self, worker: Worker, done: Callable[[Task, Any], None]) -> None:
        """Take one word from a worker."""
        task = worker.task
        try:
            kind, said = worker.pipe.recv()
        except (EOFError, OSError):
            self.bury(worker)
            return
        if task is None:
            return
        if kind == "share":
            task.share = said
            return
        task.share, worker.task = 1.0, None
        try:
            if kind == "done":
                done(task, said)
        except BookError as error:
            kind, said = "failed", str(error)
        if kind == "failed":
            self.problems += [line for line in (str(said),) if line not in self.problems]

    def bury(self, worker: Worker) -> None:
        """A worker is gone: what it did is tried again once, then given up by name."""
        worker.process.join(timeout=5)
        self.running.remove(worker)
        task = worker.task
        if task is None:
            return
        task.share = 0.0
        if task.tries < TRIES:
            print(f"note: a worker was killed in {task.name}; it is tried again", file=sys.stderr)
            self.waiting.insert(0, task)
        else:
            code = worker.process.exitcode
            how = f"by signal {-code}" if code and code < 0 else f"with code {code}"
            self.problems.append(f"{task.name}: its worker ended {how} twice; is there memory enough?")

    def stop(self) -> None:
        for worker in self.running:
            worker.process.kill()
        for worker in self.running:
            worker.process.join()
            worker.pipe.close()
        self.running = []


def work(pipe: Connection, parent: int) -> None:
    """A worker's life: a task, its result, the next, until nobody asks."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        try:
            function, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(outcome(function, arguments, pipe))


def outcome(function: str, arguments: tuple[Any, ...], pipe: Connection) -> tuple[str, Any]:
    """What came of a task: its result, or a line that names what is wrong."""
    last = 0.0

    def tell(share: float) -> None:
        nonlocal last
        if time.monotonic() - last > EVERY:
            last = time.monotonic()
            pipe.send(("share", share))

    module, name = function.split(":")
    try:
        with progress.watched_by(tell):
            return "done", getattr(importlib.import_module(module), name)(*arguments)
    except BookError as error:
        return "failed", str(error)
    except Exception as error:
        traceback.print_exc()
        what = " ".join(str(part) for part in arguments if part != "")
        return "failed", f"{what}: {type(error).__name__}: {error}; mend the code that the lines above name"


def die_with(parent: int) -> None:
    """Ask Linux to end this process when its parent ends; elsewhere it ends when it next says something."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
