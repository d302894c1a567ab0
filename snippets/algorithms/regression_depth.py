"""What do more layers buy?

Source: akyurek2023, figure 3: from depth 1 to 16 the nearest algorithm changes from one
step of gradient descent to ridge to least squares. Here: depth 1, 2 and 4, width 32, 3
dimensions.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl import oracles
from snippets.icl.linear_regression import draw_prompts
from snippets.icl.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)


@dataclass(frozen=True)
class Config:
    d: int = 3
    n: int = 8
    depths: tuple[int, ...] = (1, 2, 4)
    width: int = 32
    n_heads: int = 2
    ridge: float = 0.5
    training: Training = field(default_factory=lambda: Training(n_steps=800))
    n_test: int = 2000


PRESETS = {"laptop": Config(), "paper": Config(
    d=8, n=40, depths=(1, 2, 4, 8, 12, 16), width=512, n_heads=4,
    training=Training(500_000, muon_rate=None, adam_rate=1e-4, warm_up=0.2),
)}


# --8<-- [start:step]
def one_step(
    x: Float[Tensor, "batch k d"], y: Float[Tensor, "batch k"]
) -> Float[Tensor, "batch d"]:
    """One step of gradient descent from 0, of the size that is best for k examples."""
    k, d = x.shape[-2:]
    return k / (k + d + 1) * oracles.averaging(x, y)


# --8<-- [end:step]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    d, n = config.d, config.n

    def draw(batch: int):
        return draw_prompts(batch, n, d, generator)

    networks = []
    for loop, n_layers in enumerate(config.depths):
        sizes = Sizes(d, n_layers, config.width, config.n_heads)
        network = RegressionTransformer(sizes, generator)
        train(network, draw, config.training, loop=loop, of=len(config.depths))
        networks.append(network)

    test = draw(config.n_test)
    x, y = test.x.double(), test.y.double()
    algorithms = {
        "one step": one_step,
        "ridge": lambda x, y: oracles.ridge(x, y, config.ridge),
        "least squares": oracles.least_squares,
    }
    theirs = [oracles.at_every_position(a, x, y) for a in algorithms.values()]
    with torch.no_grad():
        ours = [network(test.x, test.y).double() for network in networks]

    def gap(one: Tensor, other: Tensor) -> np.ndarray:
        return (one - other).square().mean(0).numpy() / d

    return {
        "depth": np.array(config.depths),
        "error": np.stack([gap(o, y) for o in ours]),
        "algorithm_error": np.stack([gap(t, y) for t in theirs]),
        "difference": np.stack([[gap(o, t) for t in theirs] for o in ours]),
    }


# --8<-- [end:run]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(2, height=2.9)
    top, bottom = axes[:, 0]
    k = np.arange(runs[0]["error"].shape[1])
    for i, depth in enumerate(runs[0]["depth"]):
        style.seeds_and_median(
            top, k, [m["error"][i] for m in runs], i, layers(depth), marker="o", ms=3.5
        )
    for j, (name, line) in enumerate(zip(ALGORITHMS, ("-.", "--", ":"))):
        theirs = np.median([m["algorithm_error"][j] for m in runs], 0)
        shown = np.maximum(theirs, 1e-9)  # so that 0 has a place below a log axis
        top.plot(k, shown, linestyle=line, color=style.ink(), linewidth=1.2, label=name)
    top.set(xlabel="examples k", ylabel="error / variance of y", yscale="log")
    top.set(ylim=(2e-3, 1.6))
    top.legend(loc="lower left", fontsize=8.5)
    for j, (name, line) in enumerate(zip(ALGORITHMS, ("-.", "--", "-"))):
        apart = [m["difference"][:, j, 1:].mean(-1) for m in runs]
        style.seeds_and_median(
            bottom, runs[0]["depth"], apart, 3 + j, name, marker="o", ms=4, ls=line
        )
    bottom.set(
        xlabel="layers",
        ylabel="difference from it, k \u2265 1",
        xscale="log",
        yscale="log",
    )
    bottom.set_xticks(runs[0]["depth"], [str(n) for n in runs[0]["depth"]])
    bottom.minorticks_off()
    bottom.legend(fontsize=8.5)
    return {"depth": figure}


ALGORITHMS = ("one step", "ridge", "least squares")


def layers(depth: int) -> str:
    return "1 layer" if depth == 1 else f"{depth} layers"
