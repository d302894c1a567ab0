"""An induction head whose weights are all set by hand: two layers, one head each.

Source: olsson2022 and elhage2021 for what an induction head is; the weights are ours.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.attention import HandSet, Head, Stream

# --8<-- [start:layer1]
BLOCKED = -1e4  # a logit that leaves no attention, in float32 too


def look_back(n_positions: int, beta: float, rest: str) -> Float[Tensor, "pos pos"]:
    """Logit from each position to each: beta to the one before it.

    What is left of the attention goes to the start token (rest="start") or to all other
    tokens alike (rest="spread"). It is the same amount: e^0 for each of p - 1 tokens.
    """
    if rest not in ("start", "spread"):
        raise ValueError(f"rest is '{rest}': choose 'start' or 'spread'")
    others = 0.0 if rest == "spread" else BLOCKED
    logits = torch.full((n_positions, n_positions), others, dtype=torch.float64)
    for p in range(2, n_positions):
        logits[p, 0] = math.log(p - 1) if rest == "start" else BLOCKED
    for p in range(1, n_positions):
        logits[p, p - 1] = beta
    logits[0, 0] = 0.0  # the start token sees itself alone
    return logits


def previous_token_head(stream: Stream, beta: float, rest: str = "start") -> Head:
    """Layer 1: attend to the token before, write its content into the buffer."""
    W_Q = torch.zeros(stream.d_model, stream.n_positions, dtype=torch.float64)
    W_K, W_V = W_Q.clone(), torch.zeros(stream.d_model, stream.d_model).to(W_Q)
    # --8<-- [start:carry]
    # ask by position, and be found by position; move content into the buffer
    W_Q[stream.position] = look_back(stream.n_positions, beta, rest)
    W_K[stream.position] = torch.eye(stream.n_positions).to(W_Q)
    W_V[stream.content, stream.buffer] = torch.eye(stream.d_content).to(W_Q)
    # --8<-- [end:carry]
    return Head(W_Q, W_K, W_V)


# --8<-- [end:layer1]


# --8<-- [start:layer2]
def matching_head(stream: Stream, alpha: float, xi: float) -> Head:
    """Layer 2: compare own content with every buffer, copy the content found there."""
    d, last = stream.d_content, stream.d_content
    W_Q = torch.zeros(stream.d_model, d + 1, dtype=torch.float64)
    W_K, W_V = W_Q.clone(), torch.zeros(stream.d_model, stream.d_model).to(W_Q)
    # --8<-- [start:find]
    # ask with content, be found by the buffer; add content to content
    W_Q[stream.content, :d] = alpha * torch.eye(d).to(W_Q)
    W_K[stream.buffer, :d] = torch.eye(d).to(W_Q)
    W_Q[stream.position, last] = 1  # every query ...
    W_K[stream.position.start, last] = BLOCKED  # ... leaves the start token out
    W_V[stream.content, stream.content] = xi * torch.eye(d).to(W_Q)
    # --8<-- [end:find]
    return Head(W_Q, W_K, W_V)


def induction_head(
    contents: Float[Tensor, "vocabulary d_content"],
    n_tokens: int,
    alpha: float,
    beta: float,
    xi: float,
    rest: str = "start",
) -> HandSet:
    """Two layers, one head each, for up to `n_tokens` tokens."""
    stream = Stream(contents.shape[1], 1 + n_tokens)
    first = previous_token_head(stream, beta, rest)
    second = matching_head(stream, alpha, xi)
    return assemble(contents, n_tokens, [[first], [second]])


# --8<-- [end:layer2]


def assemble(
    contents: Float[Tensor, "vocabulary d_content"],
    n_tokens: int,
    layers: list[list[Head]],
) -> HandSet:
    """A model in the precision of `contents`."""
    cast = [
        [
            Head(h.W_Q.to(contents), h.W_K.to(contents), h.W_V.to(contents))
            for h in heads
        ]
        for heads in layers
    ]
    return HandSet(contents, 1 + n_tokens, cast)
