"""`python -m snippets live`: a real language model at the book's questions."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from snippets.book.errors import UsageError

PARTS = ("prompt", "induction", "vector")


def live(
    model: Annotated[
        str,
        typer.Option(
            help="a name on the hub, a folder, or random: a tiny one made here"
        ),
    ] = "gpt2",
    revision: Annotated[
        str, typer.Option(help="a branch, a tag or a commit on the hub")
    ] = "",
    only: Annotated[
        str, typer.Option(help="prompt, induction or vector; all if none")
    ] = "",
    layer: Annotated[
        int | None,
        typer.Option(help="where the task vector is put in; all if none, and the best"),
    ] = None,
    seed: Annotated[int, typer.Option(help="of the prompts and the random tokens")] = 0,
    json_: Annotated[
        Path | None, typer.Option("--json", help="a file for all numbers")
    ] = None,
    draw: Annotated[Path | None, typer.Option(help="a folder for figures")] = None,
) -> None:
    """Ask a real language model: the dax prompt, its induction heads, its task vectors."""
    from snippets.live import figures, tables

    found = measure(model, revision or None, only, layer, seed)
    for line in tables.lines(found):
        print(line)
    if json_ is not None:
        json_.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"numbers: {json_}")
    if draw is not None:
        print(f"figures: {', '.join(str(path) for path in figures.save(found, draw))}")


def measure(
    name: str, revision: str | None, only: str, layer: int | None, seed: int
) -> dict[str, Any]:
    """What is asked for, of the model of that name."""
    from snippets.live import induction, loading, prompt, tiny, vector

    if only and only not in PARTS:
        raise UsageError(f"there is no '{only}'; --only takes {', '.join(PARTS)}")
    model = tiny.random_model() if name == "random" else loading.load(name, revision)
    if layer is not None:
        model.check_layer(layer)
    found: dict[str, Any] = {"model": name, "revision": revision, "seed": seed}
    if only in ("", "prompt"):
        found["prompt"] = prompt.measure(model, seed)
    if only in ("", "induction"):
        found["induction"] = induction.measure(model, seed)
    if only in ("", "vector"):
        found["vector"] = vector.measure(model, layer, seed)
    return found
