"""Programs within one token: add, multiply with a GELU, divide with a layer norm.

Source: akyurek2023, whose construction multiplies with GELU (Lemma 4) and divides with
layer norm (Lemma 8); the scales and the bounds of the errors are ours.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.program_machine import Fields, Layer, Mlp, run_program

MULTIPLY_SCALE = 1e-6  # near the best for 64-bit numbers: figure "multiply"
DIVIDE_SCALE = 1e-6


# --8<-- [start:affine]
def affine(
    x: Float[Tensor, "pos d_in"],
    W: Float[Tensor, "d_in d_out"],
    b: Float[Tensor, "d_out"],
) -> Float[Tensor, "pos d_out"]:
    """x W + b, added to an empty field. relu(z) - relu(-z) is z: the bend is undone."""
    d_in, d_out = W.shape
    f = Fields(x=d_in, answer=d_out)
    up = torch.cat([f.pick("x") @ W, -f.pick("x") @ W], 1)
    down = torch.cat([f.pick("answer").T, -f.pick("answer").T])
    mlp = Mlp(up, torch.cat([b, -b]), down)
    found, _ = run_program(f.vectors(x=x), [Layer([], mlp)], beta=1.0)
    return found @ f.pick("answer")


# --8<-- [end:affine]


# --8<-- [start:multiply]
def multiply(
    a: Float[Tensor, "pos"], b: Float[Tensor, "pos"], scale: float = MULTIPLY_SCALE
) -> Float[Tensor, "pos"]:
    """Near 0 a GELU is z / 2 + z^2 / sqrt(2 pi). So
    GELU(a + b) - GELU(a) - GELU(b) is about 2 a b / sqrt(2 pi)."""
    if scale <= 0:
        raise ValueError(f"scale = {scale}: it has to be above 0")
    f = Fields(a=1, b=1, answer=1)
    up = scale * torch.cat([f.pick("a") + f.pick("b"), f.pick("a"), f.pick("b")], 1)
    down = torch.tensor([[1.0], [-1], [-1]], dtype=torch.float64) @ f.pick("answer").T
    down = down * math.sqrt(math.pi / 2) / scale**2
    mlp = Mlp(up.to(a), torch.zeros(3).to(a), down.to(a), bend=F.gelu)
    x = f.vectors(a=a[:, None], b=b[:, None]).to(a)  # 32-bit numbers stay so
    found, _ = run_program(x, [Layer([], mlp)], beta=1.0)
    return (found @ f.pick("answer").to(a))[:, 0]


# --8<-- [end:multiply]


# --8<-- [start:divide]
def divide(
    a: Float[Tensor, "pos"], b: Float[Tensor, "pos"], scale: float = DIVIDE_SCALE
) -> Float[Tensor, "pos"]:
    """A layer norm divides by a length. Of (scale a, -scale a, b, -b) the length is
    almost sqrt(2) b, and its first entry becomes almost sqrt(2) scale a / b."""
    check_divisors(b)
    vectors = torch.stack([scale * a, -scale * a, b, -b], -1)
    normed = F.layer_norm(vectors, (4,), eps=0.0)
    return normed[:, 0] / (math.sqrt(2) * scale)


# --8<-- [end:divide]


def check_divisors(b: Tensor) -> None:
    """Raise ValueError for what a layer norm cannot divide by."""
    if (b == 0).any():
        raise ValueError("division by 0")
    if (b < 0).any():
        raise ValueError(
            f"{b.min().item():g} is below 0: a layer norm divides by a length, which "
            "has no sign"
        )
