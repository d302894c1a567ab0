"""The figure of induction_heads/packed_features."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.packed_features import PRESETS, WAYS

NAMES = ("sparse autoencoder", "hidden vectors", "random", "principal components")


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(2, height=2.4)
    top, bottom = axes[:, 0]
    config = PRESETS["laptop"]
    places = np.arange(len(config.probabilities))
    chances = [f"{chance:g}" for chance in config.probabilities]
    kept = [m["kept"] for m in runs]
    style.seeds_and_median(top, places, kept, 0, "kept", marker="o")
    style.level(top, config.n_features, "features")
    style.level(top, config.n_dims, "dimensions")
    top.set(ylabel="features kept", ylim=(0, 23))
    for index in range(len(WAYS)):
        ys = [m["found"][index, -1] for m in runs]
        style.seeds_and_median(bottom, places, ys, index, NAMES[index], marker="o")
    bottom.set(ylabel=f"found with {config.sizes[-1]} directions", ylim=(-0.03, 1.05))
    bottom.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    for ax in (top, bottom):
        ax.set_xticks(places, chances)
    bottom.set_xlabel("probability that a feature is on")
    return {"found": figure}
