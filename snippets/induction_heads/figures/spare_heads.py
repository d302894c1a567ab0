"""The figure of induction_heads/spare_heads."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(2, height=2.3)
    top, bottom = axes[:, 0]
    x = np.arange(len(runs[0]["in_turn"]))
    accuracy = [m["in_turn"][:, 1] for m in runs]
    loss = [m["in_turn"][:, 0] for m in runs]
    style.seeds_and_median(top, x, accuracy, 0, "accuracy", marker="o")
    style.seeds_and_median(top, x, loss, 1, "loss (nats)", marker="s")
    top.set(xlabel="heads cut from the trained network", ylabel="accuracy, loss")
    top.set_xticks(x)
    top.legend(loc="upper left")
    steps = runs[0]["step"]
    groups = (("all four", slice(0, 1)), ("three", slice(1, 5)), ("one", slice(5, 9)))
    for index, (name, nets) in enumerate(groups):
        ys = [m["loss"][:, nets].mean(1) for m in runs]
        style.seeds_and_median(bottom, steps, ys, index + 2, f"{name} from the start")
    bottom.set(xlabel="training step", ylabel="loss (nats)", xlim=(0, 400))
    bottom.legend(loc="upper right")
    return {"cuts": figure}
