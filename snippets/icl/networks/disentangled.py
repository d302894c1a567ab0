"""A two-layer attention network whose weight matrices can be read block by block.

Source: nichani2024, the disentangled transformer of the released code.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from snippets.icl.shapes import Pattern, Tokens


# --8<-- [start:network]
class Disentangled(nn.Module):
    """Two attention layers that never add: each writes its output beside its input.

    A token starts as one-hot symbol and one-hot position. All weights start at zero.
    """

    def __init__(self, k: int, n_tokens: int) -> None:
        super().__init__()
        d = k + n_tokens
        self.k, self.n_tokens = k, n_tokens
        self.A1 = nn.Parameter(torch.zeros(d, d))
        self.A2 = nn.Parameter(torch.zeros(2 * d, 2 * d))
        self.W = nn.Parameter(torch.zeros(4 * d, k))

    def forward(self, tokens: Tokens) -> tuple[Float[Tensor, "*batch k"], Pattern]:
        """Logits of what follows the last token, and the first layer's attention."""
        symbol = F.one_hot(tokens, self.k).float()
        position = torch.eye(self.n_tokens).expand(len(tokens), -1, -1)
        x = torch.cat([symbol, position], -1)  # (batch, pos, d)

        later = torch.full((self.n_tokens, self.n_tokens), -torch.inf).triu(1)
        # --8<-- [start:layers]
        first = ((x @ self.A1) @ x.mT + later).softmax(-1)
        h = torch.cat([x, first @ x], -1)  # (batch, pos, 2 d)

        last = h[:, -1:]  # only the last token asks
        second = ((last @ self.A2) @ h.mT).softmax(-1)
        z = torch.cat([last, second @ h], -1)[:, 0]  # (batch, 4 d)
        return z @ self.W, first
        # --8<-- [end:layers]

    # --8<-- [end:network]

    def blocks(self) -> tuple[Tensor, Tensor, Tensor]:
        """Three blocks with one meaning each, as views: of A1, what a position asks of
        the positions; of A2, what the last token's symbol asks of the symbol that the
        first layer brought; of W, what a symbol that is read says."""
        k, d = self.k, self.k + self.n_tokens
        return self.A1[k:, k:], self.A2[:k, d : d + k], self.W[2 * d : 2 * d + k]
