"""The simple transformer of Part 2: attention with any h, and nothing else.

In the part's notation tokens are the columns of Z, (d+1) by (n+1), and

    Attn(Z) = V Z M h((K Z)' (Q Z)),        Z_(l+1) = Z_l + Attn(Z_l).

M takes the query out of what is attended to. Here tokens are rows, as everywhere in
PyTorch, so each formula is transposed. The prediction is minus the last entry of Z_L.

Source: ahn2023 for linear h; cheng2024 for other h.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

# --8<-- [start:attention]
# scores of one query in each row, one for each of the n examples -> weights
NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda scores: scores / scores.shape[-1],
    "relu": lambda scores: scores.relu() / scores.shape[-1],
    "exp": lambda scores: scores.exp() / scores.shape[-1],
    "softmax": lambda scores: scores.softmax(-1),
}


def attention(
    Z: Float[Tensor, "batch n_and_query d_and_1"],
    V: Float[Tensor, "d_and_1 d_and_1"],
    Q: Float[Tensor, "d_and_1 d_and_1"],
    K: Float[Tensor, "d_and_1 d_and_1"],
    h: Callable[[Tensor], Tensor],
) -> Float[Tensor, "batch n_and_query d_and_1"]:
    """What one head adds to each token, the query included, from the examples alone."""
    examples = Z[:, :-1]  # M: the query is attended to by nobody
    scores = (Z @ Q.mT) @ (examples @ K.mT).mT  # (batch, n + 1, n)
    return h(scores) @ (examples @ V.mT)


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
        """Raises ValueError where h is unknown or there is no layer."""
        super().__init__()
        if h not in NONLINEARITIES:
            raise ValueError(f"h = '{h}' is none of {', '.join(NONLINEARITIES)}")
        if n_layers < 1 or n_heads < 1:
            raise ValueError(
                f"{n_layers} layers of {n_heads} heads: there must be 1 of each"
            )
        self.h = NONLINEARITIES[h]

        def small() -> nn.Parameter:  # one matrix for each layer and head
            shape = (n_layers, n_heads, d + 1, d + 1)
            return nn.Parameter(std * torch.randn(*shape, generator=generator))

        self.V, self.Q, self.K = small(), small(), small()

    def forward(
        self, Z: Float[Tensor, "batch n_and_query d_and_1"]
    ) -> Float[Tensor, "batch"]:
        """The prediction for each prompt's query."""
        if Z.shape[-1] != self.V.shape[-1]:
            raise ValueError(
                f"tokens have {Z.shape[-1]} entries; the network reads "
                f"{self.V.shape[-1]}, d and one for y"
            )
        for V, Q, K in zip(self.V, self.Q, self.K):  # over the layers
            Z = Z + sum(attention(Z, *head, self.h) for head in zip(V, Q, K))
        return -Z[:, -1, -1]

    def set_layer(
        self, layer: int, V: Tensor, Q: Tensor, K: Tensor, head: int = 0
    ) -> None:
        """Put given matrices, (d+1) by (d+1), in place of a head's."""
        with torch.no_grad():
            for parameter, given in zip((self.V, self.Q, self.K), (V, Q, K)):
                parameter[layer, head] = given


# --8<-- [end:transformer]


# --8<-- [start:construction]
def one_step(
    A: Float[Tensor, "d d"], step: float = 1.0, gamma: float = 0.0
) -> tuple[
    Float[Tensor, "d_and_1 d_and_1"],
    Float[Tensor, "d_and_1 d_and_1"],
    Float[Tensor, "d_and_1 d_and_1"],
]:
    """V, Q and K that compare the x of tokens, <x_j, A x_i>, and move their y.

    With linear h they take one step of gradient descent preconditioned by step * A; a
    gamma other than 0 makes it a step of GD++.
    """
    d = A.shape[0]
    V, Q, K = (torch.zeros(d + 1, d + 1, dtype=A.dtype) for _ in range(3))
    eye = torch.eye(d, dtype=A.dtype)
    K[:d, :d] = eye
    Q[:d, :d] = A.mT  # so that Q'K = A
    V[:d, :d] = -gamma * eye
    V[d, d] = -step
    return V, Q, K


# --8<-- [end:construction]
