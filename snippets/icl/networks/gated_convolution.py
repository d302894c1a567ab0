"""A long convolution between two gates.

    y_t = q_t * sum over s <= t of h_(t-s) * (k_s * v_s)        (* entry by entry)

The filter h has one number for each distance and channel, the same for every prompt:
where a token goes depends on how far away it is. What depends on content are the gates.

Source: the gates and long filters of fu2023 and poli2023. Here the filter is a table,
not the output of a state space or of an MLP, and there is no short convolution.
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Stream


# --8<-- [start:convolve]
def convolve(
    x: Float[Tensor, "*batch pos d"], h: Float[Tensor, "longest d"]
) -> Float[Tensor, "*batch pos d"]:
    """sum over s <= t of h_(t-s) x_s, for all t at once by a Fourier transform.

    Zeros behind the sequence keep the end from leaking to the start. Raises ValueError
    for a sequence longer than the filter.
    """
    n = x.shape[-2]
    if n > len(h):
        raise ValueError(
            f"a prompt of {n} tokens is longer than the filter of {len(h)}: shorten "
            "it, or build the layer with a longer one"
        )
    spectrum = torch.fft.rfft(x, 2 * n, -2) * torch.fft.rfft(h[:n], 2 * n, 0)
    return torch.fft.irfft(spectrum, 2 * n, -2)[..., :n, :]


# --8<-- [end:convolve]


# --8<-- [start:layer]
class GatedConvolution(nn.Module):
    def __init__(self, d_model: int, longest: int, generator: Generator) -> None:
        """Raises ValueError where no token fits."""
        super().__init__()
        if longest < 1:
            raise ValueError(f"longest = {longest}: a filter needs at least one place")
        std = d_model**-0.5
        self.W_QKV = normal(d_model, 3 * d_model, std=std, generator=generator)
        self.W_O = normal(d_model, d_model, std=std, generator=generator)
        half_life = (
            torch.logspace(0, 2, d_model) * longest / 100
        )  # short ones, long ones
        distance = torch.arange(float(longest))[:, None]
        self.h = nn.Parameter(0.5 ** (distance / half_life))

    def forward(self, x: Stream, n_examples: int) -> Stream:
        q, k, v = (x @ self.W_QKV).chunk(3, -1)
        return (q * convolve(k * v, self.h)) @ self.W_O


# --8<-- [end:layer]
