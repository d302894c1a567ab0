"""What do a selective state space, a gated convolution and summary tokens do, exactly?

Each layer against what it must equal, in float64 and without training: scans against
the recurrence, a Fourier transform against the sum, the mesa-layer against ridge
regression, and all of them against a later token that is changed.

Source: gu2023 for the selective state space, fu2023 and poli2023 for gates around long
convolutions, vonoswald2023b for the mesa-layer, mu2023 for summaries behind a mask.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from snippets.contract import Claim, Measurements, below, equals
from snippets.icl.networks import linear_attention, mesa, selective_ssm
from snippets.icl.networks.gated_convolution import GatedConvolution, convolve
from snippets.icl.networks.mesa_layer import MesaLayer, parallel
from snippets.icl.networks.selective_ssm import SelectiveSSM
from snippets.icl.networks.summary_tokens import SummaryAttention
from snippets.icl.streams import streams
from snippets.icl.theory import oracles


@dataclass(frozen=True)
class Config:
    d_model: int = 8
    n_state: int = 4
    n_tokens: int = 21  # no power of two
    n_summaries: int = 3
    batch: int = 3


PRESETS = {"laptop": Config()}


# --8<-- [start:checks]
def difference(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().max().item()


def check_scans(c: Config, generator: Generator) -> dict[str, float]:
    """Token by token, in doubling stretches, and by the loop that training uses."""
    shape = (c.n_tokens, c.batch, c.d_model, c.n_state)
    keep = torch.rand(*shape, generator=generator, dtype=torch.float64)
    write = torch.randn(*shape, generator=generator, dtype=torch.float64)
    leaves = [keep.requires_grad_(), write.requires_grad_()]
    naive = selective_ssm.recurrent(*leaves)
    quick = selective_ssm.Scan.apply(*leaves)
    weigh = torch.randn(*shape, generator=generator, dtype=torch.float64)
    by_hand = torch.autograd.grad((quick * weigh).sum(), leaves)
    by_autograd = torch.autograd.grad((naive * weigh).sum(), leaves)
    return {
        "scan": max(
            difference(selective_ssm.doubling(*leaves), naive), difference(quick, naive)
        ),
        "scan_gradient": max(map(difference, by_hand, by_autograd)),
    }


def check_is_linear_attention(c: Config, generator: Generator) -> float:
    """With A = 0 and a step of 1, C asks, B is the key and u the value."""

    def normal(d: int) -> Tensor:
        shape = (c.batch, c.n_tokens, d)
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    u, B, C = normal(c.d_model), normal(c.n_state), normal(c.n_state)
    zero = torch.zeros(c.d_model, c.n_state, dtype=u.dtype)
    keep, write = selective_ssm.discretised(torch.ones_like(u), zero, B, u)
    states = selective_ssm.recurrent(keep, write)  # (pos, batch, d_model, n_state)
    y = (states * C.transpose(0, 1)[..., None, :]).sum(-1).transpose(0, 1)
    return difference(y, linear_attention.recurrent(C, B, u))


def check_convolution(c: Config, generator: Generator) -> float:
    x = torch.randn(
        c.batch, c.n_tokens, c.d_model, generator=generator, dtype=torch.float64
    )
    h = torch.randn(c.n_tokens, c.d_model, generator=generator, dtype=torch.float64)
    written_out = torch.stack(
        [(h[: t + 1].flip(0) * x[:, : t + 1]).sum(1) for t in range(c.n_tokens)], 1
    )
    return difference(convolve(x, h), written_out)


def check_mesa(c: Config, generator: Generator) -> float:
    """The layer's read for all tokens, online, and ridge regression solved anew."""
    shape = (c.batch, c.n_tokens, c.n_state)
    q, k, v = torch.randn(3, *shape, generator=generator, dtype=torch.float64)
    read = parallel(q, k, v)
    solved = [
        (oracles.ridge(k[:, :t], v[:, :t, i], 1.0) * q[:, t - 1]).sum(-1)
        for t in range(1, c.n_tokens + 1)
        for i in range(c.n_state)
    ]
    ridge = torch.stack(solved, -1).unflatten(-1, (c.n_tokens, c.n_state))
    return max(
        difference(read, ridge), difference(read, mesa.recurrent(q, k, v, strength=1.0))
    )


def check_nothing_leaks(c: Config, generator: Generator) -> float:
    """The largest change of a token's output when later tokens are changed."""
    x = torch.randn(
        c.batch, c.n_tokens, c.d_model, generator=generator, dtype=torch.float64
    )
    n_read = c.n_tokens - 5  # pairs and summaries; the others ask
    summary = SummaryAttention(c.d_model, 2, generator)
    summary.n_summaries = c.n_summaries
    layers: list[nn.Module] = [
        SelectiveSSM(c.d_model, c.n_state, generator),
        GatedConvolution(c.d_model, c.n_tokens, generator),
        MesaLayer(c.d_model, 2, generator),
        summary,
    ]
    changed = []
    for layer in (layer.double() for layer in layers):
        for t in range(1, c.n_tokens):
            other = torch.cat([x[:, :t], x[:, t:] + 1], 1)
            changed.append(
                difference(layer(x, n_read)[:, :t], layer(other, n_read)[:, :t])
            )
    return max(changed)


def check_pairs_are_gone(c: Config, generator: Generator) -> float:
    """What a query gains from pairs when the summaries are held as they are: nothing."""
    x = torch.randn(
        c.batch, c.n_tokens, c.d_model, generator=generator, dtype=torch.float64
    )
    n_read = c.n_tokens - 5
    n_pairs = n_read - c.n_summaries
    layer = SummaryAttention(c.d_model, 2, generator).double()
    layer.n_summaries = c.n_summaries
    other = torch.cat([x[:, :n_pairs] + 1, x[:, n_pairs:]], 1)
    return difference(layer(x, n_read)[:, n_read:], layer(other, n_read)[:, n_read:])


# --8<-- [end:checks]

LONG, SHORT, EVEN = 1.0, 0.02, 0.25  # steps
CHOSEN = (LONG, SHORT, SHORT, SHORT, LONG, SHORT, SHORT, SHORT)


# --8<-- [start:selection]
def one_channel(steps: tuple[float, ...], generator: Generator) -> np.ndarray:
    """The state of one channel with A = -2. Tokens 1 and 5 say 1 and -1; what those
    between them say is drawn from a normal law."""
    u = torch.randn(1, len(steps), 1, generator=generator)
    u[0, 0], u[0, 4] = 1.0, -1.0
    step, one = torch.tensor(steps)[None, :, None], torch.ones(1, len(steps), 1)
    keep, write = selective_ssm.discretised(step, torch.full((1, 1), -2.0), one, u)
    return selective_ssm.recurrent(keep, write)[:, 0, 0, 0].numpy()


# --8<-- [end:selection]


@torch.enable_grad()
def run(config: Config, seed: int) -> Measurements:
    scans, linear, convolution, ridge, causal, gone, talk, again = streams(seed, 8)
    again.set_state(talk.get_state())  # the same words for both
    chosen, even = one_channel(CHOSEN, talk), one_channel((EVEN,) * len(CHOSEN), again)
    return {
        "chosen": chosen,
        "even": even,
        # how far the state is from the last note, before it and at the end
        "drift": max(abs(chosen[3] - chosen[0]), abs(chosen[7] - chosen[4])),
        "drift_even": max(abs(even[3] - even[0]), abs(even[7] - even[4])),
        **check_scans(config, scans),
        "is_linear_attention": check_is_linear_attention(config, linear),
        "convolution": check_convolution(config, convolution),
        "mesa": check_mesa(config, ridge),
        "leak": check_nothing_leaks(config, causal),
        "pairs_seen": check_pairs_are_gone(config, gone),
    }


def exact(id: str, name: str, says: str, limit: float = 1e-10) -> Claim:
    """An identity in 64-bit numbers: what is left is rounding."""
    return Claim(id, lambda m: float(m[name]), below(limit), "", says, exact=True)


# fmt: off
CLAIMS = [
    Claim("drift", lambda m: float(m["drift"]), below(0.25), "",
          "With steps chosen by token the state stays within 0.25 of what the token with a long step left, "
          "for three tokens that say something else."),
    exact("scan", "scan",
          "The state space's scan in doubling stretches, the loop that training uses and the recurrence "
          "differ by less than 1e-10."),
    exact("scan-gradient", "scan_gradient",
          "The scan's gradient, a loop from the end to the start, is that of the recurrence, up to 1e-10."),
    exact("is-linear", "is_linear_attention",
          "With A = 0 and a step of 1 the selective state space is linear attention, up to 1e-10."),
    exact("convolution", "convolution",
          "The long convolution by Fourier transform is the sum over earlier tokens, up to 1e-10."),
    exact("mesa", "mesa",
          "The mesa-layer for all tokens at once is ridge regression on all tokens so far, up to 1e-8.",
          1e-8),
    exact("leak", "leak",
          "When later tokens change, no earlier output of state space, gated convolution, mesa-layer or "
          "summary tokens changes by more than 1e-10."),
    Claim("gone", lambda m: float(m["pairs_seen"]), equals(0), "",
          "In a layer with summary tokens a query reads nothing from the pairs themselves.", exact=True),
]
# fmt: on
