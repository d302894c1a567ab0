"""An interpreter that has Hugging Face's libraries, and all that the book has. Made once, in build/peft."""

import fcntl
import os
import shutil
import subprocess
import sysconfig
import tomllib
import venv
from pathlib import Path

from snippets.book.paths import BUILD, ROOT

# `python -m snippets live` needs the first three; what they depend on, torch and the hub's client, is the book's own.
# It is read from the file: conftest imports this before shapes are checked.
LIVE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["live"]
PINS = (*LIVE, "peft==0.21.2", "accelerate==1.15.0", "tokenizers==0.23.3", "psutil==7.2.2", "tqdm==4.70.1")
HOME = BUILD / "peft"


def interpreter() -> Path:
    """Its path. Raises RuntimeError where the wheels cannot be had. One test process makes it, the others wait."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "peft.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command, done = HOME / "bin" / "python", HOME / "made_of"
        if not done.exists() or done.read_text() != "\n".join(PINS):
            make(command)
            done.write_text("\n".join(PINS))
    return command


def make(command: Path) -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    venv.create(HOME, with_pip=True)
    site = HOME / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (site / "book.pth").write_text(sysconfig.get_paths()["purelib"])
    pip = [command, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-deps", *PINS]
    got = subprocess.run(pip, capture_output=True, text=True, check=False, timeout=300)
    if got.returncode:
        raise RuntimeError(f"{PINS[0]} cannot be installed here: {got.stderr.strip().splitlines()[-1]}")


def call(command: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run that interpreter in the book's folder."""
    settings = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(
        [command, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, env=settings, timeout=300
    )
