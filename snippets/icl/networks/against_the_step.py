"""A trained layer of linear attention beside the one that takes a gradient step.

Layers are given as the pair (v, W) of icl/networks/folded: the last row of V, and K'Q.

Source: vonoswald2023, figure 2, for the measures; figure 10 for the repeated layer.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.folded import (
    Folded,
    HeadMatrices,
    HeadRows,
    fold,
    layer,
    predict,
    sensitivity,
)
from snippets.icl.networks.simple_transformer import SimpleTransformer, one_step
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory.best_rate import best_rate

Layer = tuple[Tensor, Tensor]  # v, (run, head, d + 1), and W, (run, head, d + 1, d + 1)


# --8<-- [start:constructed]
def constructed(d: int, rate: float, dtype: torch.dtype = torch.float32) -> Layer:
    """The layer that takes one step: v reads y, W compares x with x."""
    w_V = torch.zeros(1, 1, d + 1, dtype=dtype)
    W_KQ = torch.zeros(1, 1, d + 1, d + 1, dtype=dtype)
    w_V[..., d] = -1
    W_KQ[..., :d, :d] = rate * torch.eye(d, dtype=dtype)
    return w_V, W_KQ


# --8<-- [end:constructed]


# --8<-- [start:nn]
def step_in_nn(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "n"],
    query: Float[Tensor, "d"],
    rate: float,
) -> Float[Tensor, ""]:
    """The prediction of an nn.Linear after one step of SGD on the examples."""
    # --8<-- [start:sgd]
    model = nn.Linear(x.shape[-1], 1, bias=False, dtype=x.dtype)
    nn.init.zeros_(model.weight)
    sgd = torch.optim.SGD(model.parameters(), rate)
    loss = (model(x)[:, 0] - y).square().mean() / 2
    loss.backward()
    sgd.step()
    return model(query)[0].detach()
    # --8<-- [end:sgd]


def step_in_attention(prompts: Prompts, rate: float) -> Float[Tensor, "batch"]:
    """The same prediction by one layer of attention, with nothing trained."""
    d, dtype = prompts.x.shape[-1], prompts.x.dtype
    network = SimpleTransformer(1, d, Generator()).to(dtype)
    # --8<-- [start:one-layer]
    network.set_layer(0, *one_step(rate * torch.eye(d, dtype=dtype)))
    with torch.no_grad():
        return network(prompts.tokens())
    # --8<-- [end:one-layer]


# --8<-- [end:nn]


def exactness(
    width: float, n: int, d: int, generator: Generator, dtype: torch.dtype
) -> float:
    """The largest difference between an SGD step on nn.Linear and the layer, as tokens
    or folded, over 100 prompts."""
    rate = best_rate(width, n, d)
    prompts = draw_prompts(100, n, d, generator, width=width, dtype=dtype)
    sgd = torch.stack(
        [step_in_nn(x[:-1], y[:-1], x[-1], rate) for x, y in zip(prompts.x, prompts.y)]
    )
    folded = predict(fold(prompts.tokens()), *constructed(d, rate, dtype))[0]
    tokens = step_in_attention(prompts, rate)
    return max((folded - sgd).abs().max().item(), (tokens - sgd).abs().max().item())


# --8<-- [start:measures]
def half_squared_error(
    predicted: Float[Tensor, "run batch"], answer: Float[Tensor, "batch"]
) -> Float[Tensor, "run"]:
    return (predicted - answer).square().mean(1) / 2


def compare(
    folded: Folded, answer: Float[Tensor, "batch"], trained: Layer, built: Layer
) -> dict[str, np.ndarray]:
    """The source's measures, of each trained layer against the constructed one: means
    over the prompts."""
    ours, theirs = predict(folded, *trained), predict(folded, *built)
    our_map, their_map = sensitivity(folded, *trained), sensitivity(folded, *built)
    by_run = {
        "loss": half_squared_error(ours, answer),
        "difference": (ours - theirs).abs().mean(1),
        "cosine": torch.cosine_similarity(our_map, their_map, -1, 1e-8).mean(1),
        "length": our_map.norm(dim=-1).mean(1) / their_map.norm(dim=-1).mean(),
    }
    return {name: values.numpy() for name, values in by_run.items()}


# --8<-- [end:measures]


# --8<-- [start:interpolate]
def rescaled(w_V: HeadRows, W_KQ: HeadMatrices) -> Layer:
    """The same function with the mean of W's diagonal over x equal to 1: what W loses,
    v gains."""
    beta = W_KQ.diagonal(dim1=-2, dim2=-1)[..., :-1].mean(-1)  # (run, head)
    return w_V * beta[..., None], W_KQ / beta[..., None, None]


def interpolate(trained: Layer, built: Layer, share: float) -> Layer:
    """`share` of the constructed weights and the rest of the trained, both rescaled."""
    w_V, W_KQ = (
        (1 - share) * ours + share * theirs
        for ours, theirs in zip(rescaled(*trained), rescaled(*built))
    )
    return w_V, W_KQ


# --8<-- [end:interpolate]


def along_the_way(
    test: Prompts, folded: Folded, trained: Layer, built: Layer
) -> dict[str, np.ndarray]:
    """The loss between one trained layer's weights and the constructed ones."""
    shares = np.linspace(0, 1, 11)
    losses = [
        half_squared_error(predict(folded, *between_them), test.answer)
        for between_them in (interpolate(trained, built, float(s)) for s in shares)
    ]
    return {"shares": shares, "loss_along": torch.cat(losses).numpy()}


# --8<-- [start:repeat]
def repeated(
    prompts: Prompts, layer_of_one: Layer, n_repeats: int, damping: float
) -> np.ndarray:
    """The loss after 1, 2, ... applications of one layer, in float64, which puts off
    the overflow. Rows of V that training never touches are 0, so that x stays."""
    w_V, W_KQ = (weights[0, 0].double() for weights in layer_of_one)
    W_V = torch.zeros_like(W_KQ)
    W_V[-1] = w_V
    folded, losses = fold(prompts.tokens().double()), []
    for _ in range(n_repeats):
        folded = layer(folded, W_V, W_KQ, damping)
        losses.append((folded.prediction - prompts.answer).square().mean() / 2)
    return np.nan_to_num(torch.stack(losses).numpy(), nan=np.inf)


def diverges(folded: Folded, rate: float) -> Float[Tensor, "batch"]:
    """1 for each prompt on which a step of this size, repeated, must diverge: C has an
    eigenvalue above 2 / rate. Else 0."""
    C = folded.G[:, :-1, :-1]
    return (rate * torch.linalg.eigvalsh(C)[:, -1] > 2).float()


# --8<-- [end:repeat]


# --8<-- [start:stationary]
def gradient_left(
    folded: Folded, answer: Float[Tensor, "batch"], d: int, rate: float
) -> float:
    """Size of the loss's gradient by all of v and W at the constructed layer with the
    best rate, as a share of its size at half that rate."""
    sizes = []
    for step in (rate, rate / 2):
        w_V, W_KQ = (weights.requires_grad_() for weights in constructed(d, step))
        loss = half_squared_error(predict(folded, w_V, W_KQ), answer).sum()
        by_v, by_W = torch.autograd.grad(loss, (w_V, W_KQ))
        sizes.append((by_v.square().sum() + by_W.square().sum()).sqrt().item())
    return sizes[0] / sizes[1]


# --8<-- [end:stationary]
