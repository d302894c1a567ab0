"""The simple transformer of the part *Algorithms in context*: attention with any h, and nothing else.

In the part's notation tokens are the columns of Z, (d+1) by (n+1), and

    Attn(Z) = V Z M h((K Z)' (Q Z)),        Z_(l+1) = Z_l + Attn(Z_l).

M takes the query out of what is attended to. Here tokens are rows, as everywhere in
PyTorch, so each formula is transposed; the code writes W_V, W_Q and W_K for V, Q and K.
The prediction is minus the last entry of Z_L.

Source: ahn2023 for linear h; cheng2024 for other h.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal

PromptTokens = Float[Tensor, "batch n_and_query d_and_1"]  # Z: a token (x, y) a row
Matrix = Float[Tensor, "d_and_1 d_and_1"]

# --8<-- [start:attention]
# scores of one query in each row, one for each of the n examples -> weights
NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda scores: scores / scores.shape[-1],
    "relu": lambda scores: scores.relu() / scores.shape[-1],
    "exp": lambda scores: scores.exp() / scores.shape[-1],
    "softmax": lambda scores: scores.softmax(-1),
}


def attention(
    Z: PromptTokens, W_V: Matrix, W_Q: Matrix, W_K: Matrix, h: Callable
) -> PromptTokens:
    """What one head adds to each token, the query included, from the examples alone."""
    # --8<-- [start:read]
    examples = Z[:, :-1]  # M: the query is attended to by nobody
    scores = (Z @ W_Q.mT) @ (examples @ W_K.mT).mT  # (batch, n + 1, n)
    return h(scores) @ (examples @ W_V.mT)
    # --8<-- [end:read]


# --8<-- [end:attention]


# --8<-- [start:transformer]
class SimpleTransformer(nn.Module):
    """L layers of attention with a residual connection; all weights start small."""

    def __init__(
        self,
        n_layers: int,
        d: int,
        generator: Generator,
        h: str = "linear",
        n_heads: int = 1,
        std: float = 0.02,
    ) -> None:
        """Raises ValueError where h is unknown or there is no layer or head."""
        super().__init__()
        check_choices(h, n_layers, n_heads)
        self.h = NONLINEARITIES[h]
        size = (n_layers, n_heads, d + 1, d + 1)  # one matrix for each layer and head
        self.W_V = normal(*size, std=std, generator=generator)
        self.W_Q = normal(*size, std=std, generator=generator)
        self.W_K = normal(*size, std=std, generator=generator)

    def forward(self, Z: PromptTokens) -> Float[Tensor, "batch"]:
        """The prediction for each prompt's query. Raises ValueError where the tokens
        have another size than the weights."""
        check_tokens(Z, self.W_V)
        for layer in zip(self.W_V, self.W_Q, self.W_K):
            heads = zip(*layer)  # V, Q and K of each
            Z = Z + sum(attention(Z, *head, self.h) for head in heads)
        return -Z[:, -1, -1]

    def set_layer(
        self, layer: int, W_V: Tensor, W_Q: Tensor, W_K: Tensor, head: int = 0
    ) -> None:
        """Put given matrices, (d+1) by (d+1), in place of a head's."""
        with torch.no_grad():
            self.W_V[layer, head] = W_V
            self.W_Q[layer, head] = W_Q
            self.W_K[layer, head] = W_K


# --8<-- [end:transformer]


# --8<-- [start:construction]
def one_step(
    A: Float[Tensor, "d d"], step: float = 1.0, gamma: float = 0.0
) -> tuple[Matrix, Matrix, Matrix]:
    """V, Q and K that compare the x of tokens, <x_j, A x_i>, and move their y.

    With linear h they take one step of gradient descent preconditioned by step * A; a
    gamma other than 0 makes it a step of GD++.
    """
    d = A.shape[0]
    W_V, W_Q, W_K = (torch.zeros(d + 1, d + 1, dtype=A.dtype) for _ in range(3))
    eye = torch.eye(d, dtype=A.dtype)
    # --8<-- [start:weights]
    W_K[:d, :d] = eye
    W_Q[:d, :d] = A.mT  # so that Q'K = A
    W_V[:d, :d] = -gamma * eye
    W_V[d, d] = -step
    # --8<-- [end:weights]
    return W_V, W_Q, W_K


# --8<-- [end:construction]


def check_choices(h: str, n_layers: int, n_heads: int) -> None:
    """Raise ValueError, in words, where no such network exists."""
    if h not in NONLINEARITIES:
        raise ValueError(f"h = '{h}' is none of {', '.join(NONLINEARITIES)}")
    if n_layers < 1 or n_heads < 1:
        raise ValueError(
            f"{n_layers} layers of {n_heads} heads: there must be 1 of each"
        )


def check_tokens(Z: Tensor, W_V: Tensor) -> None:
    """Raise ValueError, in words, where tokens and weights do not fit."""
    if Z.shape[-1] != W_V.shape[-1]:
        raise ValueError(
            f"tokens have {Z.shape[-1]} entries; the network reads {W_V.shape[-1]}, "
            "d and one for y"
        )
