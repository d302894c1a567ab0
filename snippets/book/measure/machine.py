"""The machine that a measurement is made on. Two of one class give the same bits; others need not."""

import contextlib
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snippets.book.measure import pins
from snippets.book.paths import ROOT

CLASS = ("cpu", "capability", "threads", "packages")  # what two machines must share to give the same bits


def about_this(packages: Iterable[str]) -> dict[str, Any]:
    """What the numbers are made with: the processor, the instructions that torch uses, and these packages."""
    torch = sys.modules.get("torch")  # an experiment without it needs not wait for it
    return {
        "cpu": processor(),
        "capability": torch.backends.cpu.get_cpu_capability() if torch else "none",
        "threads": torch.get_num_threads() if torch else 1,
        "packages": {package: pins.installed(package) for package in sorted(packages)},
        "python": platform.python_version(),
        "commit": commit(),
    }


def is_same_class(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two machines must give the same bits."""
    return all(one.get(key) == other.get(key) for key in CLASS)


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def commit() -> str:
    """The commit the code was at, with a plus where files differ from it; 'none' outside a checkout."""
    try:
        git = ["git", "-C", str(ROOT)]
        head = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def forget_peak_memory() -> None:
    """Let the peak begin anew: a worker measures one thing after another."""
    with contextlib.suppress(OSError):  # not Linux: the peak is that of the whole process
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def peak_memory_mb() -> float:
    """The largest memory this process has held since then, in MB."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    except OSError:
        pass
    # macOS counts in bytes, others in kB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
