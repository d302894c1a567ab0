"""What was found, as lines of text."""

from collections.abc import Iterator
from typing import Any

from snippets.live.prompt import SHOTS


def lines(found: dict[str, Any]) -> Iterator[str]:
    """All that was measured, one table behind the other."""
    told = {"prompt": prompt, "induction": induction, "vector": vector}
    for name, tell in told.items():
        if name in found:
            yield from tell(found[name])
            yield ""


def row(name: str, numbers: list[float] | list[str]) -> str:
    cells = (n if isinstance(n, str) else f"{n:.3f}" for n in numbers)
    return f"  {name:<24}" + "".join(f"{cell:>9}" for cell in cells)


def prompt(found: dict[str, Any]) -> Iterator[str]:
    yield "prompt: how likely is a colour behind 'A dax is'?"
    yield row("the prompt says", ["red", "blue"])
    for name, p in found["dax"].items():
        yield row("nothing" if name == "alone" else name, [p["red"], p["blue"]])
    yield ""
    yield "prompt: shots of 'dog -> animal', and how likely are answers?"
    yield row("shots", [str(n) for n in SHOTS])
    for name, curves in found["few_shot"].items():
        yield row(f"{name}: the right one", curves["right"])
        if name != "usual":
            yield row(f"{name}: the usual one", curves["usual"])
        yield row(f"{name}: right ahead in", curves["ahead"])


def induction(found: dict[str, Any]) -> Iterator[str]:
    yield "induction: random tokens, repeated; the five best heads by prefix matching"
    yield row("layer.head", ["prefix", "previous"])
    heads = [
        (score, layer, head)
        for layer, scores in enumerate(found["prefix"])
        for head, score in enumerate(scores)
    ]
    for score, layer, head in sorted(heads, reverse=True)[:5]:
        yield row(f"{layer}.{head}", [score, found["previous"][layer][head]])
    yield row("even attention", [found["prefix_if_even"], found["previous_if_even"]])
    yield ""
    yield "induction: loss in nats a token"
    yield row("first copy", [found["first_copy"]])
    yield row("later copies", [found["later_copies"]])
    yield row("later copies without", ["best", "random"])
    for off in found["without"]:
        n = off["heads"]
        yield row(f"{n} head{'s' if n > 1 else ''}", [off["best"], off["random"]])


def vector(found: dict[str, Any]) -> Iterator[str]:
    yield "task vector: share of right first tokens, on words kept for this"
    names = ["no shots", "shots", "layer", "vector", "other's", "follows"]
    yield row("task", names)
    for name, task in found["tasks"].items():
        at = task["at_layer"]
        numbers = [
            f"{task['zero_shot']:.3f}",
            f"{task['few_shot']:.3f}",
            str(task["layer"]),
        ]
        rest = [at["vector"], at["other_vector"], at["follows_other"]]
        yield row(name, numbers + [f"{n:.3f}" for n in rest])
