"""The authors' code as a reader has checked it out: is it there, and is it the revision that was timed?"""

import subprocess
from pathlib import Path

from snippets.benchmarks.papers import Paper
from snippets.book.errors import UsageError


def modules(paper: Paper, authors: Path) -> Path:
    """The folder that its modules are imported from, in a folder of checkouts. Raises UsageError, with what to type."""
    if not authors.is_dir():
        raise UsageError(f"there is no folder {authors}; make it, and clone the authors' repositories into it")
    checkout = authors / paper.folder
    get = f"git clone https://github.com/{paper.repository} {checkout}"
    if not checkout.is_dir():
        raise UsageError(f"{paper.name}: there is no {checkout}; `{get}` brings it, then `git checkout {paper.commit}`")
    at = revision(checkout)
    if at != paper.commit:
        raise UsageError(
            f"{paper.name}: {checkout} is at {at[:10] or 'no commit'}, and what we timed is {paper.commit[:10]} of "
            f"{paper.repository}; `git -C {checkout} checkout {paper.commit}` goes there"
        )
    if not (checkout / paper.modules).is_dir():
        raise UsageError(f"{paper.name}: {checkout} has no folder {paper.modules}; clone {paper.repository} anew")
    return checkout / paper.modules


def revision(checkout: Path) -> str:
    """The commit that a folder is at; empty where it is no checkout of its own."""
    if not (checkout / ".git").exists():  # git would answer for the folder around it
        return ""
    git = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    found = subprocess.run(git, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else ""
