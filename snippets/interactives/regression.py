"""The data of the figure to touch in chapter *regression*: the weights of a trained network."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from torch import Generator

from snippets.contract import Measurements
from snippets.icl.networks.regression_transformer import RegressionTransformer, Sizes

SIZES = Sizes(d=2, n_layers=2)  # as in algorithms/drag_the_points, and so what follows
REACH, NOISE, MOST_POINTS = 2.0, 0.3, 10


def data(runs: Callable[[str], list[Measurements]]) -> dict[str, Any]:
    network = RegressionTransformer(SIZES, Generator())
    first = runs("drag_the_points")[0]
    return {
        "reach": REACH,
        "noise": NOISE,
        "most": MOST_POINTS,
        "heads": SIZES.n_heads,
        "layers": SIZES.n_layers,
        "shapes": {name: list(w.shape) for name, w in network.named_parameters()},
        "steps": b64encode(first["steps"].tobytes()).decode(),
        "largest": first["largest"].astype(float).tolist(),  # of each column
    }
