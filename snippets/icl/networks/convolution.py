"""Dilated causal convolutions: each looks one token back, at doubling distances.

    h_t <- h_t + gelu(h_t W_now + h_(t - r) W_before),        r = 1, 2, 4, 8, ...

After r = 1 ... 2^(j-1) a token has heard of the 2^j - 1 before it. Which of them go
where depends on how far away they stand, not on what they say: nothing is looked up.
"""

import torch
import torch.nn.functional as F
from torch import Generator, nn

from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Stream


# --8<-- [start:layer]
class DilatedConvolution(nn.Module):
    def __init__(
        self,
        d_model: int,
        generator: Generator,
        dilations: tuple[int, ...] = (1, 2, 4, 8, 16),
    ) -> None:
        super().__init__()
        self.dilations = dilations
        self.reach = sum(dilations)  # how many tokens back it hears of
        shape, std = (len(dilations), 2 * d_model, d_model), (2 * d_model) ** -0.5
        self.W = normal(*shape, std=std, generator=generator)

    def forward(self, x: Stream, n_examples: int) -> Stream:
        h = x
        for W, r in zip(self.W, self.dilations):
            before = F.pad(h, (0, 0, r, 0))[:, : x.shape[1]]  # h_(t-r), zeros at first
            h = h + F.gelu(torch.cat([h, before], -1) @ W)
        return h - x  # the block adds x itself


# --8<-- [end:layer]
