"""A small transformer that is told which token may read which, and how it is trained.

Its tokens are vectors, and it returns a vector for each. It knows no positions: what a
token reads does not depend on where things stand, only on what they are.

Source: the parts are the standard ones. Pre-norm RMSNorm without gains, no biases.
"""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from snippets.progress import steps


# --8<-- [start:network]
class MaskedTransformer(nn.Module):
    def __init__(
        self,
        d_in: int,
        d_out: int,
        d_model: int,
        n_layers: int,
        n_heads: int,
        generator: Generator,
    ) -> None:
        """Raises ValueError where the heads do not share d_model evenly."""
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")
        self.n_heads = n_heads

        def matrix(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
            start = torch.randn(rows, columns, generator=generator)
            return nn.Parameter(scale * start / math.sqrt(rows))

        small, layers = 1 / math.sqrt(2 * n_layers), range(n_layers)
        self.W_in = matrix(d_in, d_model)
        self.W_QKV = nn.ParameterList(matrix(d_model, 3 * d_model) for _ in layers)
        self.W_O = nn.ParameterList(matrix(d_model, d_model, small) for _ in layers)
        self.W_up = nn.ParameterList(matrix(d_model, 2 * d_model) for _ in layers)
        self.W_down = nn.ParameterList(
            matrix(2 * d_model, d_model, small) for _ in layers
        )
        self.W_out = matrix(d_model, d_out, 0.1)  # at first all answers are alike

    def forward(
        self,
        tokens: Float[Tensor, "batch token d_in"],
        may_read: Bool[Tensor, "token token"],
    ) -> Float[Tensor, "batch token d_out"]:
        """`may_read[i, j]` says whether token i may read token j."""
        self.check(tokens, may_read)
        x = tokens @ self.W_in
        for W_QKV, W_O, W_up, W_down in zip(
            self.W_QKV, self.W_O, self.W_up, self.W_down
        ):
            x = x + self.attend(rms_norm(x) @ W_QKV, may_read) @ W_O
            x = x + F.relu(rms_norm(x) @ W_up) @ W_down
        return rms_norm(x) @ self.W_out

    def attend(
        self,
        qkv: Float[Tensor, "batch token q_k_v"],
        may_read: Bool[Tensor, "token token"],
    ) -> Float[Tensor, "batch token d_model"]:
        """Each token's average over what it may read, in every head."""
        split = qkv.unflatten(2, (3, self.n_heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)  # (batch, head, token, d_head)
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        pattern = scores.masked_fill(~may_read, -torch.inf).softmax(-1)
        return (pattern @ value).transpose(1, 2).flatten(2)

    # --8<-- [end:network]

    def check(self, tokens: Tensor, may_read: Tensor) -> None:
        """Raise ValueError for what the network cannot read."""
        n_tokens, d_in = tokens.shape[1], self.W_in.shape[0]
        if n_tokens == 0:
            raise ValueError("there are no tokens to read")
        if tokens.shape[2] != d_in:
            raise ValueError(
                f"tokens have {tokens.shape[2]} entries; the network reads {d_in}"
            )
        if not may_read.any(1).all():
            raise ValueError("a token that may read nothing: let it read itself")


def rms_norm(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """Each row scaled to a mean square of 1."""
    return F.rms_norm(x, x.shape[-1:])


# --8<-- [start:train]
def train(
    network: nn.Module,
    batch_loss: Callable[[], Float[Tensor, ""]],
    n_steps: int,
    learning_rate: float,
    warm_up: int = 50,
    cool_down: float = 0.3,  # share of the steps
) -> Iterator[int]:
    """Adam on the loss of a fresh batch at each step, up to the full rate in the first
    steps and down again in the last. Yields how many steps are done, 0 to n_steps, for
    whoever wants to measure in between."""
    optimizer = torch.optim.Adam(network.parameters(), learning_rate, (0.9, 0.98))

    def rate(step: int) -> float:
        left = (n_steps - step) / (cool_down * n_steps)
        return min(1.0, (step + 1) / warm_up, max(left, 0.02))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    for step in steps(n_steps):
        yield step
        optimizer.zero_grad()
        batch_loss().backward()
        optimizer.step()
        schedule.step()
    yield n_steps


# --8<-- [end:train]
