"""The figure of induction_heads/one_layer."""

import numpy as np
from matplotlib.figure import Figure

from snippets.contract import Measurements
from snippets.induction_heads.one_layer import PRESETS, N
from snippets.style import colour, ink, panels, seeds_and_median

LENGTHS = np.array(PRESETS["laptop"].lengths)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"layers": draw_layers(runs)}


def draw_layers(runs: list[Measurements]) -> Figure:
    fig, axes = panels(2, height=2.9, sharex=True)
    top, bottom = axes[:, 0]
    curves = (
        ("two_layers", "two layers", 0, "-"),
        ("two_layers_overlapping", "two layers, overlapping", 0, "--"),
        ("two_heads", "one layer, two heads", 1, "-"),
        ("two_heads_overlapping", "one layer, two heads, overlapping", 1, "--"),
        ("one_head", "one layer, one head that checks a pair", 2, "-"),
    )
    for name, label, index, line in curves:
        values = [m[name] for m in runs]
        width = 4 if name == "two_layers" else 1.8
        style = {"linestyle": line, "linewidth": width}
        seeds_and_median(top, LENGTHS, values, index, label, **style)
    top.plot(LENGTHS, 1 / LENGTHS, color=ink(), linestyle=":", label="1/N")
    trained = [float(m["trained"]) for m in runs]
    dots = {"color": colour(3), "markersize": 5, "alpha": 0.7}
    top.plot(
        [N] * len(runs), trained, "D", label="one layer, one head, trained", **dots
    )
    top.set(ylabel="accuracy", ylim=(-0.03, 1.06))
    top.legend(loc="upper left", bbox_to_anchor=(0, -0.08), fontsize=8.5)
    for name, label, index in (
        ("margin_two_layers", "two layers", 0),
        ("margin_two_heads", "one layer, two heads", 1),
    ):
        seeds_and_median(bottom, LENGTHS, [m[name] for m in runs], index, label)
    law = 1 / (2 * LENGTHS**2 * (LENGTHS + 1))
    bottom.plot(LENGTHS, law, color=ink(), linestyle=":", label="1 / (2 N² (N + 1))")
    bottom.set(xscale="log", yscale="log", xlabel="pairs in the context, N")
    bottom.set(ylabel="least margin, logits")
    bottom.set_xticks(LENGTHS, [str(n) for n in LENGTHS])
    bottom.minorticks_off()
    bottom.legend()
    return fig
