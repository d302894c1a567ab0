"""Does a trained layer of linear attention take the step of gradient descent that we
can compute?

Source: vonoswald2023, proposition 1, figure 2 and the repeated layer of figure 10.
Here: batches of 512 prompts instead of 2048, Adam at 0.005 for 1,500 steps instead of
0.001 for 5,000, three matrices instead of four (their P is in our V), no clipping of
gradients, and 16 first draws of weights in each seed. The `paper` preset keeps the
source's batch, rate, steps and one draw a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.contract import (
    REPRODUCED,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.networks.folded import (
    Folded,
    OneLayer,
    fold,
    layer,
    predict,
    sensitivity,
)
from snippets.icl.networks.simple_transformer import SimpleTransformer, one_step
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory.best_rate import best_rate, least_loss
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 10
    n: int = 10
    width: float = 1.0  # x is uniform in (-width/2, width/2)
    n_runs: int = 16  # first draws of weights, trained on the same prompts
    std: float = 0.02  # of the first weights
    batch: int = 512
    learning_rate: float = 0.005
    n_steps: int = 1500
    evaluate_every: int = 25
    n_curve: int = 4000  # prompts for the curves
    n_test: int = 50_000  # prompts for what is reported at the end
    n_repeated: int = 500  # prompts on which a layer is repeated
    n_repeats: int = 50
    dampings: tuple[float, ...] = (0.75, 1.0)
    scales: tuple[float, ...] = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        n_runs=1,
        std=0.0135,
        batch=2048,
        learning_rate=0.001,
        n_steps=5000,
        evaluate_every=100,
        n_curve=10_000,
    ),
}


# --8<-- [start:nn]
def step_in_nn(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "n"],
    query: Float[Tensor, "d"],
    rate: float,
) -> Float[Tensor, ""]:
    """The prediction of an nn.Linear after one step of SGD on the examples."""
    model = nn.Linear(x.shape[-1], 1, bias=False, dtype=x.dtype)
    nn.init.zeros_(model.weight)
    sgd = torch.optim.SGD(model.parameters(), rate)
    loss = (model(x)[:, 0] - y).square().mean() / 2
    loss.backward()
    sgd.step()
    return model(query)[0].detach()


def step_in_attention(prompts: Prompts, rate: float) -> Float[Tensor, "batch"]:
    """The same prediction by one layer of attention, with nothing trained."""
    d, dtype = prompts.x.shape[-1], prompts.x.dtype
    network = SimpleTransformer(1, d, Generator()).to(dtype)
    network.set_layer(0, *one_step(rate * torch.eye(d, dtype=dtype)))
    with torch.no_grad():
        return network(prompts.tokens())


# --8<-- [end:nn]


def constructed(
    d: int, rate: float, dtype: torch.dtype = torch.float32
) -> tuple[
    Float[Tensor, "run head d_and_1"],
    Float[Tensor, "run head d_and_1 d_and_1"],
]:
    """v and W of the layer that takes one step: v reads y, W compares x with x."""
    v = torch.zeros(1, 1, d + 1, dtype=dtype)
    W = torch.zeros(1, 1, d + 1, d + 1, dtype=dtype)
    v[..., d] = -1
    W[..., :d, :d] = rate * torch.eye(d, dtype=dtype)
    return v, W


def exactness(config: Config, generator: Generator, dtype: torch.dtype) -> float:
    """The largest difference between an SGD step on nn.Linear and the layer, as tokens
    or folded, over 100 prompts."""
    d, rate = config.d, best_rate(config.width, config.n, config.d)
    prompts = draw_prompts(100, config.n, d, generator, width=config.width, dtype=dtype)
    sgd = torch.stack(
        [step_in_nn(x[:-1], y[:-1], x[-1], rate) for x, y in zip(prompts.x, prompts.y)]
    )
    folded = predict(fold(prompts.tokens()), *constructed(d, rate, dtype))[0]
    tokens = step_in_attention(prompts, rate)
    return max((folded - sgd).abs().max().item(), (tokens - sgd).abs().max().item())


# --8<-- [start:train]
def train(
    config: Config, generator: Generator, evaluate: Callable[[OneLayer], dict]
) -> tuple[OneLayer, list[dict]]:
    """Many layers at once, each from first weights of its own, on the same prompts."""
    d, n_steps = config.d, config.n_steps
    network = OneLayer(config.n_runs, d, generator, std=config.std)
    adam = torch.optim.Adam(
        network.parameters(), config.learning_rate, betas=(0.9, 0.98)
    )
    cool = torch.optim.lr_scheduler.LambdaLR(  # level, then down to zero in a line
        adam, lambda step: min(1, (1 - step / n_steps) / 0.4)
    )
    history = []
    for step in steps(n_steps + 1):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                history.append({"step": step, **evaluate(network)})
        if step == n_steps:
            break
        prompts = draw_prompts(config.batch, config.n, d, generator, width=config.width)
        predicted = network(fold(prompts.tokens()))  # (run, batch)
        loss = (predicted - prompts.answer).square().mean(1) / 2
        adam.zero_grad()
        loss.sum().backward()  # a sum: no network sees another's loss
        adam.step()
        cool.step()
    return network, history


# --8<-- [end:train]


# --8<-- [start:measures]
def half_squared_error(
    predicted: Float[Tensor, "run batch"], answer: Float[Tensor, "batch"]
) -> Float[Tensor, "run"]:
    return (predicted - answer).square().mean(1) / 2


def compare(
    folded: Folded,
    answer: Float[Tensor, "batch"],
    trained: tuple[Tensor, Tensor],
    built: tuple[Tensor, Tensor],
) -> dict[str, np.ndarray]:
    """The source's measures, of each trained layer against the constructed one: means
    over the prompts."""
    ours, theirs = predict(folded, *trained), predict(folded, *built)
    our_map, their_map = sensitivity(folded, *trained), sensitivity(folded, *built)
    by_run = {
        "loss": half_squared_error(ours, answer),
        "difference": (ours - theirs).abs().mean(1),
        "cosine": torch.cosine_similarity(our_map, their_map, -1, 1e-8).mean(1),
        "map_difference": (our_map - their_map).norm(dim=-1).mean(1),
        "length": our_map.norm(dim=-1).mean(1) / their_map.norm(dim=-1).mean(),
    }
    return {name: values.numpy() for name, values in by_run.items()}


# --8<-- [end:measures]


# --8<-- [start:interpolate]
def rescaled(
    v: Float[Tensor, "run head d_and_1"], W: Float[Tensor, "run head d_and_1 d_and_1"]
) -> tuple[Tensor, Tensor]:
    """The same function with the mean of W's diagonal over x equal to 1: what W loses,
    v gains."""
    beta = W.diagonal(dim1=-2, dim2=-1)[..., :-1].mean(-1)  # (run, head)
    return v * beta[..., None], W / beta[..., None, None]


def interpolate(
    trained: tuple[Tensor, Tensor], built: tuple[Tensor, Tensor], share: float
) -> tuple[Tensor, Tensor]:
    """`share` of the constructed weights and the rest of the trained, both rescaled."""
    v, W = (
        (1 - share) * ours + share * theirs
        for ours, theirs in zip(rescaled(*trained), rescaled(*built))
    )
    return v, W


# --8<-- [end:interpolate]


def repeated(
    prompts: Prompts,
    v: Float[Tensor, "d_and_1"],
    W: Float[Tensor, "d_and_1 d_and_1"],
    n_repeats: int,
    damping: float,
) -> np.ndarray:
    """The loss after 1, 2, ... applications of one layer, in float64. Rows of V that
    training never touches are 0, so that x stays."""
    V = torch.zeros_like(W, dtype=torch.float64)
    V[-1] = v
    folded, losses = fold(prompts.tokens().double()), []
    for _ in range(n_repeats):
        folded = layer(folded, V, W.double(), damping)
        losses.append((folded.prediction - prompts.answer).square().mean() / 2)
    return np.nan_to_num(torch.stack(losses).numpy(), nan=np.inf)


def unstable(folded: Folded, config: Config, damping: float) -> float:
    """The share of prompts on which the repeated step must diverge: those with an
    eigenvalue of C above 2 / (damping * rate)."""
    C = folded.G[:, :-1, :-1]
    largest = torch.linalg.eigvalsh(C)[:, -1]
    rate = best_rate(config.width, config.n, config.d)
    return (damping * rate * largest > 2).float().mean().item()


def gradient_left(
    folded: Folded, answer: Float[Tensor, "batch"], d: int, rate: float
) -> float:
    """Size of the loss's gradient by all of v and W at the constructed layer with the
    best rate, as a share of its size at half that rate."""
    sizes = []
    for step in (rate, rate / 2):
        v, W = (weights.requires_grad_() for weights in constructed(d, step))
        loss = half_squared_error(predict(folded, v, W), answer).sum()
        by_v, by_W = torch.autograd.grad(loss, (v, W))
        sizes.append((by_v.square().sum() + by_W.square().sum()).sqrt().item())
    return sizes[0] / sizes[1]


def run(config: Config, seed: int) -> Measurements:
    generator = Generator().manual_seed(seed)
    d, n = config.d, config.n
    rate = best_rate(config.width, n, d)
    built = constructed(d, rate)

    few, few_folded = draw_folded(config, generator, config.n_curve)

    def evaluate(network: OneLayer) -> dict[str, np.ndarray]:
        return compare(few_folded, few.answer, (network.v, network.W), built)

    network, history = train(config, generator, evaluate)
    trained = network.v.detach(), network.W.detach()

    test, folded = draw_folded(config, generator, config.n_test)
    at_optimum = predict(folded, *built)  # (1, prompts)
    end = compare(folded, test.answer, trained, built)
    half = predict(folded, *interpolate(trained, built, 0.5))
    middle = int(np.argsort(end["loss"])[config.n_runs // 2])  # the median layer
    one = trained[0][middle : middle + 1], trained[1][middle : middle + 1]
    fit = (at_optimum[0] * test.answer).mean() / at_optimum.square().mean()

    return {
        **{name: np.stack([h[name] for h in history]) for name in history[0]},
        **{f"end_{name}": values for name, values in end.items()},
        "rate": rate,
        "lowest": least_loss(config.width, n, d),
        "rate_fitted": rate * fit.item(),  # the best on the test prompts
        "curve_optimum": half_squared_error(
            predict(few_folded, *built), few.answer
        ).item(),
        "loss_optimum": half_squared_error(at_optimum, test.answer).item(),
        "size": at_optimum.abs().mean().item(),
        "gradient_left": gradient_left(folded, test.answer, d, rate),
        "off_32": exactness(config, generator, torch.float32),
        "off_64": exactness(config, generator, torch.float64),
        "loss_half": half_squared_error(half, test.answer).numpy(),
        "W": one[1][0, 0].numpy(),
        "v": one[0][0, 0].numpy(),
        **beyond_training(config, generator, one, built),
    }


def draw_folded(
    config: Config, generator: Generator, count: int, scale: float = 1.0
) -> tuple[Prompts, Folded]:
    width = scale * config.width
    prompts = draw_prompts(count, config.n, config.d, generator, width=width)
    return prompts, fold(prompts.tokens())


def beyond_training(
    config: Config,
    generator: Generator,
    trained: tuple[Tensor, Tensor],
    built: tuple[Tensor, Tensor],
) -> dict[str, np.ndarray | float]:
    """One trained layer and the constructed one where neither was trained: between each
    other's weights, applied many times, and on wider or narrower inputs."""
    pair = (trained, built)
    prompts, folded = draw_folded(config, generator, config.n_test)
    shares = np.linspace(0, 1, 11)
    along = [
        predict(folded, *interpolate(trained, built, float(share))) for share in shares
    ]
    some, _ = draw_folded(config, generator, config.n_repeated)
    again = [  # (damping, layer, repeats)
        [repeated(some, v[0, 0], W[0, 0], config.n_repeats, damping) for v, W in pair]
        for damping in config.dampings
    ]
    scaled = []  # (scale, layer)
    for scale in config.scales:
        wide, wide_folded = draw_folded(config, generator, config.n_curve, scale)
        losses = [
            half_squared_error(predict(wide_folded, *w), wide.answer) for w in pair
        ]
        scaled.append(torch.cat(losses).numpy())
    return {
        "unstable_damped": unstable(folded, config, config.dampings[0]),
        "unstable_undamped": unstable(folded, config, config.dampings[1]),
        "shares": shares,
        "loss_along": torch.cat(
            [half_squared_error(predicted, prompts.answer) for predicted in along]
        ).numpy(),
        "loss_repeated": np.array(again),
        "scales": np.array(config.scales),
        "loss_scaled": np.stack(scaled),
    }


STUCK = 1.5  # times the optimum's loss: what ends above has not found the step


def found(m: Measurements) -> np.ndarray:
    """Which of the layers have found the step."""
    return m["end_loss"] < STUCK * m["loss_optimum"]


def above_optimum(m: Measurements) -> float:
    """Loss of the median layer over that of the optimum, on the same prompts."""
    return float(np.median(m["end_loss"]) / m["loss_optimum"] - 1)


def too_often(m: Measurements, damping: int) -> float:
    """How often the median layer is applied until the loss is above that after one."""
    losses = m["loss_repeated"][damping, 0]
    above = np.flatnonzero(losses > losses[0])
    return float(above[0] + 1) if len(above) else np.inf


def scale_gap(m: Measurements) -> float:
    """The largest ratio between the losses of trained and constructed layer over the
    scales, minus 1."""
    trained, built = m["loss_scaled"].T
    return float(np.maximum(trained / built, built / trained).max() - 1)


# fmt: off
CLAIMS = [
    Claim("exact-32", lambda m: float(m["off_32"]), below(1e-5), "at most",
          "One SGD step on nn.Linear and one layer of attention predict the same in float32, to 1e-5.",
          Reported("vonoswald2023", "proposition 1",
                   "weights of a linear layer exist that make one step of gradient descent", REPRODUCED),
          digits=1),
    Claim("exact-64", lambda m: float(m["off_64"]), below(1e-10), "at most",
          "In float64 they agree to 1e-10.",
          digits=1),
    Claim("monte-carlo", lambda m: float(m["loss_optimum"] / m["lowest"]), between(0.97, 1.03), "of the derived loss",
          "The derived loss of the best step is within 3 percent of its mean over the test prompts.",
          Reported("vonoswald2023", "figure 2", "a loss of about 0.2", REPRODUCED),
          digits=3),
    Claim("rate", lambda m: float(m["rate_fitted"] / m["rate"]), between(0.97, 1.03), "of a*",
          "The rate that fits the test prompts best is within 3 percent of a*.",
          digits=3),
    Claim("stationary", lambda m: float(m["gradient_left"]), below(0.1), "of the gradient",
          "By autograd, the gradient by all weights at the computed optimum is less than a tenth of what it "
          "is at half the rate."),
    Claim("loss", lambda m: 100 * above_optimum(m), between(-1, 2), "percent",
          "The median layer ends less than 2 percent above the computed optimum.",
          Reported("vonoswald2023", "figure 2",
                   "the trained layer's loss comes down to that of a gradient step", REPRODUCED)),
    Claim("found", lambda m: float(found(m).mean()), above(0.55), "of the layers",
          "At least 9 of 16 first draws find the step."),
    Claim("difference", lambda m: float(np.median(m["end_difference"]) / m["size"]), below(0.1), "of the mean size",
          "The median layer's predictions differ from the step's by less than a tenth of their mean size.",
          Reported("vonoswald2023", "figure 2", "the difference falls to 0", REPRODUCED)),
    Claim("cosine", lambda m: float(np.median(m["end_cosine"])), above(0.99), "",
          "The sensitivities of the median layer and of the step have a cosine above 0.99.",
          Reported("vonoswald2023", "figure 2", "the cosine rises to 1", REPRODUCED),
          digits=4),
    Claim("length", lambda m: float(np.median(m["end_length"])), between(0.97, 1.03), "of the step's",
          "Their lengths agree within 3 percent.",
          digits=3),
    Claim("half-way", lambda m: 100 * float(np.median(m["loss_half"]) / m["loss_optimum"] - 1),
          between(-1, 2), "percent",
          "Half way between the weights of the median layer and the constructed ones, rescaled, the loss is "
          "less than 2 percent above the optimum.",
          Reported("vonoswald2023", "figure 2",
                   "the mean of trained and constructed weights does as well", REPRODUCED)),
    Claim("damped", lambda m: float(m["loss_repeated"][0, 0, -1] / m["loss_repeated"][0, 0, 0]),
          below(0.5), "of the loss",
          "Applied 50 times with damping 0.75, the median layer leaves less than half of the loss that it "
          "leaves after one.",
          Reported("vonoswald2023", "figure 10", "with damping 0.75 the loss keeps falling", REPRODUCED)),
    Claim("undamped", lambda m: too_often(m, 1), below(30), "applications",
          "Without damping it diverges: before its 30th application the loss is above that after one."),
    Claim("scaled", scale_gap, below(0.1), "at most",
          "On inputs half to twice as wide as in training, the losses of median layer and step differ by "
          "less than a tenth.",
          Reported("vonoswald2023", "figure 2", "on scaled inputs the layer's loss is that of the step", REPRODUCED)),
]
# fmt: on
