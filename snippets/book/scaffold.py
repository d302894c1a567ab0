"""A new experiment and its chapter, small and working: they pass every check, and are meant to be overwritten."""

import re

from snippets.book.errors import UsageError
from snippets.book.measure import store
from snippets.book.pages import pages
from snippets.book.pages.pages.macros import PARTS
from snippets.book.paths import DOCS, SNIPPETS

EXPERIMENT = '''"""How fast does the mean of n draws settle? (Your question here, in one paragraph.)

Source: none, a textbook law. (Key in docs/references.bib, figure or section; what differs.)
"""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from snippets.book import style
from snippets.book.contract import Claim, Measurements
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    largest: int = 1024  # draws in the longest sample
    repeats: int = 2000  # samples of each length


PRESETS = {"laptop": Config()}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    sizes = 2 ** np.arange(int(np.log2(config.largest)) + 1)
    errors = []
    for i in steps(len(sizes)):
        draws = torch.randn(config.repeats, int(sizes[i]), generator=generator)
        errors.append(draws.mean(1).square().mean().sqrt().item())  # root of the mean squared error
    return {"size": sizes, "error": np.array(errors)}
# --8<-- [end:run]


def slope(m: Measurements) -> float:
    """The exponent of the power law that fits best."""
    return float(np.polyfit(np.log(m["size"]), np.log(m["error"]), 1)[0])


CLAIMS = [
    Claim(
        id="square-root",
        says="The error falls with the number of draws to the power of minus a half.",
        value=slope,
        holds=lambda v: -0.55 < v < -0.45,
    ),
]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1)
    ax = axes[0, 0]
    x = runs[0]["size"]
    style.seeds_and_median(ax, x, [m["error"] for m in runs], 0, "measured")
    ax.plot(x, x**-0.5, color=style.ink(), linestyle=":", label="theory")
    ax.set(xscale="log", yscale="log", xlabel="draws", ylabel="error of the mean")
    ax.legend()
    return {"error": figure}
'''

CHAPTER = """---
title: "TITLE"
description: How fast the mean of a sample settles.
part: FOLDER
number: NUMBER
question: How fast does the mean of n draws settle?
mechanism: averaging
evidence: a power law on five seeds
needs: []
experiments: [NAME]
---

# TITLE

> **How fast does the mean of $n$ draws settle?**

!!! question "Before you look"

    To halve the error, how many times as many draws does it take?

## The idea

The mean of $n$ independent draws of variance $\\sigma^2$ has standard deviation $\\sigma / \\sqrt{n}$.

## The experiment

```python title="snippets/NAME.py"
--8<-- "NAME.py:run"
```

## What it shows

{{{ figure("SHORT", "error",
    alt="Error of the mean against number of draws, both on logarithmic axes: a straight falling line on every seed,
    on top of the theory's.",
    caption="Thin lines: five seeds; thick: their median; dotted: theory. It does not show draws that depend on each
    other.") }}}

The error falls with the number of draws to the power of {{{ claim("SHORT", "square-root") }}}.

## What it does not show

Draws that depend on each other settle more slowly.

## Exercises

??? question "1. A heavier tail"

    Draw from a Cauchy distribution instead. What becomes of the line?

    ??? success "Answer"

        It has no variance, and the mean of $n$ draws is distributed like one draw: the error does not fall.

## Run it

{{{ run_it("SHORT") }}}
"""


def make(name: str) -> list[str]:
    """Write the two files and say what to do next. Raises UsageError where the name does not fit or is taken."""
    match = re.fullmatch(r"([a-z_]+)/([a-z][a-z0-9_]*)", name.replace("-", "_"))
    folders = {part.replace("-", "_"): part for part in PARTS}
    if not match or match[1] not in folders:
        raise UsageError(f"'{name}' is not part/name in lower case; the parts are {', '.join(folders)}")
    part, short = match[1], match[2]
    code = SNIPPETS / part / f"{short}.py"
    chapter = DOCS / folders[part] / f"{short.replace('_', '-')}.md"
    if taken := [path for path in (code, chapter) if path.exists()]:
        raise UsageError(f"{store.relative(taken[0])} is there already: choose another name, or edit it")
    title = short.replace("_", " ").capitalize()
    number = max((page.meta["number"] for page in pages.read_all() if "number" in page.meta), default=0) + 1
    words = {"TITLE": title, "FOLDER": folders[part], "NUMBER": str(number), "NAME": f"{part}/{short}", "SHORT": short}
    store.write(code, EXPERIMENT.encode())
    if not (init := code.parent / "__init__.py").exists():
        store.write(init, b"")
    store.write(chapter, re.sub(r"\b(TITLE|FOLDER|NUMBER|NAME|SHORT)\b", lambda m: words[m[1]], CHAPTER).encode())
    entry = f"{number}. {title}: {folders[part]}/{chapter.name}"
    return [
        f"{store.relative(code)}: the experiment; run it with `python -m snippets run {part}/{short}`",
        f"{store.relative(chapter)}: its chapter; see it with `make serve`",
        f"now add this line to `nav:` in mkdocs.yml, under its part: - {entry}",
    ]
