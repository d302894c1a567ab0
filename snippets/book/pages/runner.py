"""Beside the draft: a process that measures and draws what is stale, now and whenever an experiment changes."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from snippets.book.errors import BookError
from snippets.book.measure import catalogue, fingerprint, watch
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.pages import labs
from snippets.book.paths import ROOT, SHOWN_PRESET

BUSY = "another build is running"
PATIENCE = 2.0  # seconds until a build is tried again that found another one at work


class Runner:
    """Makes what is stale in a process of its own, again whenever the experiments' code has changed."""

    def __init__(self) -> None:
        self.wanted = threading.Event()
        self.over = threading.Event()
        self.starting = threading.Lock()
        self.process: subprocess.Popen | None = None
        self.problem = ""
        self.made: dict[str, str] = {}

    def work(self) -> None:
        while not self.over.is_set():
            self.wanted.wait()
            self.wanted.clear()
            while not self.over.is_set() and not self.run_once():
                self.over.wait(PATIENCE)

    def run_once(self) -> bool:
        """Make what is stale. Returns whether that could be tried: False while another build is at work."""
        arguments = [sys.executable, "-m", "snippets", "build", "--no-site"]
        with self.starting:  # a run that begins while the server stops would outlive it
            if self.over.is_set():
                return True
            self.process = subprocess.Popen(
                arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
            )
        lines = [line.rstrip() for line in self.process.stderr or []]
        failed = self.process.wait()
        problem = next((line for line in lines if line.startswith("error: ")), "") if failed else ""
        if failed and BUSY in problem:
            self.problem = "waiting for the other build"
            return False
        self.problem = problem
        if self.over.is_set():
            return True
        if failed:
            print("\n".join(lines), file=sys.stderr, flush=True)
        else:
            print("every experiment is measured, every lab is made", flush=True)
        return True

    def look_again(self) -> None:
        """Start a run if the code of an experiment or a lab is not what it was at the last look."""
        try:
            now = {
                name: fingerprint.of_figures(name, SHOWN_PRESET, DEFAULT_SEEDS)
                + fingerprint.of_results(name, SHOWN_PRESET, DEFAULT_SEEDS)
                for name in catalogue.discover()
            } | {lab: labs.script(lab) for lab in labs.discover()}
        except BookError as error:
            self.problem = f"error: {error}"
            return
        if now != self.made:
            self.made = now
            self.wanted.set()

    def stop(self) -> None:
        """End the run and wait until it has ended; what it has finished is kept."""
        self.over.set()
        self.wanted.set()
        with self.starting:
            process = self.process
        if process is None or process.poll() is not None:
            return
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, how)  # the build, and the training that it started
                process.wait(timeout=10)
                return
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                return

    def progress(self) -> dict[str, Any]:
        """How far each experiment is: the share of its seeds' work that is done, and the last problem."""
        return watch.read() | {"of": len(DEFAULT_SEEDS), "problem": self.problem, "time": time.time()}
