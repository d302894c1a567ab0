"""The figures of mechanisms/recurrent_updates."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.theory.random_keys import (
    delta_error,
    least_squares_error,
    linear_error,
)
from snippets.mechanisms.recurrent_updates import PRESETS


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"errors": draw_errors(runs)}


def draw_errors(runs: list[Measurements]) -> Figure:
    d = PRESETS["laptop"].d_k
    figure, axes = style.panels(2, height=2.5)
    top, bottom = axes[:, 0]
    numbers = range(1, len(runs[0]["linear_by_number"]) + 1)
    ago = np.arange(len(numbers))
    names = (
        ("linear", "linear attention"),
        ("delta", "DeltaNet"),
        ("mesa", "mesa-layer"),
    )
    formulas = {
        "linear": [linear_error(n, d) for n in numbers],
        "delta": [delta_error(n, d).mean() for n in numbers],
        "mesa": [least_squares_error(n, d) for n in numbers],
    }
    for index, (name, label) in enumerate(names):
        ys = [m[f"{name}_by_number"] for m in runs]
        style.seeds_and_median(top, np.array(numbers), ys, index, label)
        top.plot(numbers, formulas[name], color=style.ink(), linewidth=0.9, ls=":")
        ages = [m[f"{name}_by_age"] for m in runs]
        style.seeds_and_median(bottom, ago, ages, index, label)
    bottom.plot(
        ago,
        delta_error(len(numbers), d),
        color=style.ink(),
        linewidth=0.9,
        ls=":",
    )
    top.axvline(d, color=style.ink(), linewidth=0.9, ls="--")
    top.annotate("n = d", (d, 2.85), xytext=(3, 0), textcoords="offset points")
    top.set(xlabel="pairs stored, n", ylabel="mean error of a read")
    bottom.set(
        xlabel=f"pairs stored since, of {len(numbers)}", ylabel="error of a read"
    )
    top.legend(loc="upper left")
    return figure
