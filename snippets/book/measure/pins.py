"""The versions that requirements.txt pins: those of all Pythons, so that a measurement has one cause on all of them."""

import importlib.metadata
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from snippets.book.errors import BookError
from snippets.book.paths import ROOT

PACKAGES = {"sklearn": "scikit-learn", "yaml": "pyyaml", "PIL": "pillow"}  # where the module is called otherwise
PIN = re.compile(r"(?P<package>[A-Za-z0-9._-]+)==(?P<version>[^\s;#]+)\s*(?P<where>;[^#]*)?")


def package_of(module: str) -> str:
    """The package that a module comes from."""
    return PACKAGES.get(module, module).lower().replace("_", "-")


def requirements(root: Path | None = None) -> dict[str, list[str]]:
    """The lines that pin each package, without what is said beside them."""
    path = (root or ROOT) / "requirements.txt"
    about = path.stat() if path.exists() else None
    return read(path, about.st_mtime_ns, about.st_size) if about else {}


@cache
def read(path: Path, modified: int, size: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := PIN.match(line):
            where = " ".join((match["where"] or "").replace(";", "; ").split())
            text = f"{match['package']}=={match['version']} {where}".strip()
            found.setdefault(match["package"].lower().replace("_", "-"), []).append(text)
    return {package: sorted(lines) for package, lines in found.items()}


def of(modules: Iterable[str]) -> dict[str, str]:
    """The pins of the packages that these modules come from. Raises BookError naming a module that has none."""
    pinned = requirements()
    found = {}
    for module in sorted(modules):
        package = package_of(module)
        if package not in pinned:
            raise BookError(f"module '{module}' is imported but requirements.txt pins no '{package}'; add its pin")
        found[package] = " | ".join(pinned[package])
    return found


@cache
def installed(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


@cache
def say_what_is_no_pin(packages: tuple[str, ...]) -> None:
    """One line for each installed version that requirements.txt does not pin; said once."""
    pinned = requirements()
    for package in packages:
        version = installed(package).split("+")[0]  # 2.13.0+cpu is 2.13.0
        allowed = [line.split("==")[1].split()[0] for line in pinned.get(package, [])]
        if version not in allowed:
            print(
                f"note: {package} {version} is installed and requirements.txt pins {' or '.join(allowed) or 'none'}: "
                "what is measured now may differ from the book",
                file=sys.stderr,
            )
