"""The exact predictor of a mixture of hidden Markov models: the forward algorithm, run for
all concepts at once.

belief[c, s] is the probability, given the tokens so far, of concept c and hidden state s.
A token multiplies it by how likely that token is in each state; a step moves it along
each concept's transitions. The concept is never told: its posterior is a sum.

Errors: ValueError for tables of other shapes or that are no probabilities, and for a
token that no state can emit.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Mixture(NamedTuple):
    """A prior over concepts, each a hidden Markov model with the same states."""

    weight: Float[Tensor, "concept"]  # prior
    start: Float[Tensor, "state"]  # of the first hidden state
    move: Float[Tensor, "concept state state"]  # rows sum to 1
    emit: Float[Tensor, "state token"]


# --8<-- [start:forward]
def predict(
    mixture: Mixture, tokens: Int[Tensor, "batch pos"]
) -> tuple[Float[Tensor, "batch pos token"], Float[Tensor, "batch pos concept"]]:
    """p(next token | tokens up to here) and p(concept | tokens up to here)."""
    check(mixture, tokens)
    weight, start, move, emit = mixture
    belief = (weight[:, None] * start).repeat(len(tokens), 1, 1)
    following, concept = [], []
    for token in tokens.T:
        # --8<-- [start:one-token]
        belief = belief * emit[:, token].T[:, None]  # what this token says of the state
        belief = belief / belief.sum((1, 2), keepdim=True)
        concept.append(belief.sum(2))  # ... and of the concept
        belief = torch.einsum("bcs,cst->bct", belief, move)  # one step of each chain
        following.append(belief.sum(1) @ emit)
        # --8<-- [end:one-token]
    return torch.stack(following, 1), torch.stack(concept, 1)


# --8<-- [end:forward]


def check(mixture: Mixture, tokens: Tensor) -> None:
    """Raise ValueError, in words, for what is no mixture or no text of it."""
    weight, start, move, emit = mixture
    n_states, n_tokens = emit.shape
    if move.shape != (len(weight), n_states, n_states) or start.shape != (n_states,):
        raise ValueError(
            f"{len(weight)} concepts of {n_states} states do not fit transitions of "
            f"{tuple(move.shape)} and a start of {tuple(start.shape)}"
        )
    for name, table in mixture._asdict().items():
        if (table < 0).any() or not torch.allclose(
            table.sum(-1), torch.ones((), dtype=table.dtype)
        ):
            raise ValueError(
                f"rows of '{name}' are no probabilities: make each sum to 1"
            )
    if tokens.shape[1] == 0:
        raise ValueError("there are no tokens: a prompt needs at least one")
    if tokens.min() < 0 or tokens.max() >= n_tokens:
        raise ValueError(
            f"token ids run from {int(tokens.min())} to {int(tokens.max())}; the "
            f"vocabulary is 0 to {n_tokens - 1}"
        )
    silent = (emit.sum(0) == 0)[tokens]
    if silent.any():
        raise ValueError(
            f"token {int(tokens[silent][0])} is emitted by no state: it has no posterior"
        )
