"""One layer of linear attention on regression prompts, by its own weights, as fast as we can.

The prediction reads the last entry of the query's token, so of a step over all tokens only two numbers an example are
needed, and their sum:

    prediction = - sum over the examples e of  (e' v) (e' m),    v = W_V W_P's last column,  m = W_K W_Q' z

Prompts stand in the last axis of each array: a sum over a prompt's 10 numbers is then a sum of 10 long rows, which a
processor adds eight or sixteen at a time.

Source: vonoswald2023, released code: four matrices, variance-scaled first weights, Adam, clipped gradients.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

D = N = 10
BATCH, RATE, BETAS, CLIP = 2048, 0.001, (0.9, 0.98), 0.001
START = 0.002  # the variance of first weights times d_model
N_TEST = 10_000

Examples = Float[Tensor, "n d batch"]
Weights = Float[Tensor, "4 d_and_1 d_and_1"]  # of queries, keys, values and output; tokens are rows


def draw(rng: np.random.Generator, batch: int) -> tuple[Examples, Tensor, Tensor, Tensor]:
    """Examples' x and y, the query's x, the answer."""
    x = torch.from_numpy(rng.random((N + 1, D, batch), dtype=np.float32)).sub_(0.5)
    w = torch.from_numpy(rng.standard_normal((D, batch), dtype=np.float32))
    y = (x * w).sum(1)  # (n + 1, batch)
    return x[:N], y[:N], x[N], y[N]


def predict(
    weights: Weights, x: Examples, y: Float[Tensor, "n batch"], query: Float[Tensor, "d batch"]
) -> Float[Tensor, "batch"]:
    W_Q, W_K, W_V, W_P = weights
    v = W_V @ W_P[:, -1]  # (d + 1)
    m = (W_K @ W_Q.mT)[:, :-1] @ query  # (d + 1, batch); the query's y is 0
    value = (x * v[:-1, None]).sum(1) + y * v[-1]  # (n, batch)
    attention = (x * m[:-1]).sum(1) + y * m[-1]
    return -(value * attention).sum(0)


def half_squared_error(predicted: Float[Tensor, "batch"], answer: Float[Tensor, "batch"]) -> Float[Tensor, ""]:
    return (predicted - answer).square().mean() / 2


class Trainer:
    """One network, and how it trains."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.rng = np.random.default_rng(seed)
        std = (START / (D + 1)) ** 0.5 / 0.87962566  # a normal cut at two deviations is narrower
        first = torch.nn.init.trunc_normal_(torch.empty(4, D + 1, D + 1), std=std, a=-2 * std, b=2 * std)
        self.weights = torch.nn.Parameter(first)  # one tensor: one norm to clip, one update
        self.adam = torch.optim.Adam([self.weights], RATE, BETAS, fused=True)
        self.test = draw(np.random.default_rng((seed, 1)), N_TEST)

    def step(self) -> None:
        *prompts, answer = draw(self.rng, BATCH)
        loss = half_squared_error(predict(self.weights, *prompts), answer)
        loss.backward()
        gradient = self.weights.grad
        assert gradient is not None
        gradient.mul_((CLIP / gradient.norm()).clamp(max=1))
        self.adam.step()
        self.weights.grad = None

    @torch.no_grad()
    def look(self) -> float:
        """The loss over that of the best gradient step from zero, on the same held-out prompts."""
        x, y, query, answer = self.test
        step = ((x * query).sum(1) * y).sum(0)
        step = step * (step @ answer) / (step @ step)  # the rate that fits these prompts best
        ours = half_squared_error(predict(self.weights, x, y, query), answer)
        return (ours / half_squared_error(step, answer)).item()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed)


@torch.no_grad()
def weigh(ours: Trainer, file: str) -> float:
    """The loss on weights and prompts that the authors' side wrote."""
    found = {name: torch.from_numpy(array) for name, array in np.load(file).items()}
    tokens = found["tokens"].permute(1, 2, 0)  # (n + 1, d + 1, batch)
    predicted = predict(found["weights"], tokens[:-1, :-1], tokens[:-1, -1], tokens[-1, :-1])
    return half_squared_error(predicted, found["answers"]).item()
