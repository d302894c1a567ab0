"""What does attention compute, exactly, and what can it not see?

Source: vaswani2017, section 3.2.1 (the formula, and why it is scaled), 3.2.2 (heads)
and 3.5 (sinusoidal positions); su2021 (rotary); press2022 (ALiBi); elhage2021 (heads
add up). Nothing is trained: random vectors go through random weights.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.positional_encodings import (
    ALiBi,
    Learned,
    Nowhere,
    Rotary,
    Sinusoidal,
)
from snippets.icl.progress import steps
from snippets.icl.self_attention import SelfAttention, attention, causal_mask, softmax


@dataclass(frozen=True)
class Config:
    n_tokens: int = 12
    d_model: int = 32
    n_heads: int = 4
    batch: int = 64
    sizes: tuple[int, ...] = (4, 16, 64, 256, 1024)  # d_k, where scores are measured
    n_queries: int = 1000
    n_keys: int = 32
    n_positions: int = 64  # of the encodings
    n_shifts: int = 200  # by which rotary pairs are moved


PRESETS = {"laptop": Config()}

SHARPNESS = (0, 1, 2, 4, 8)


# --8<-- [start:dictionary]
def soft_dictionary(sharpness: float) -> float:
    """Look up `blue` in {red: 3, blue: 7, green: 5}."""
    keys = torch.eye(3)  # one direction for each colour
    values = torch.tensor([3.0, 7.0, 5.0])
    query = sharpness * keys[1]
    weights = softmax(keys @ query)  # a score for each key, then a share for each
    return (weights @ values).item()


# --8<-- [end:dictionary]


# --8<-- [start:library]
def library_error(q: Tensor, k: Tensor, v: Tensor) -> float:
    """Largest difference to torch's function, causal or not, as a share of the largest
    output."""
    mask = causal_mask(q.shape[-2]).to(q)
    ours = [attention(q, k, v)[0], attention(q, k, v, mask)[0]]
    theirs = [
        F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        for causal in (False, True)
    ]
    return max(difference(a, b) for a, b in zip(ours, theirs))


def difference(ours: Tensor, theirs: Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def module_error(layer: SelfAttention, x: Float[Tensor, "batch pos d_model"]) -> float:
    """The same to torch's module with the same weights, for outputs and patterns."""
    n_heads, d_model, _ = layer.W_Q.shape
    theirs = nn.MultiheadAttention(d_model, n_heads, bias=False, batch_first=True)
    theirs.to(x)

    def side_by_side(W: Tensor) -> Tensor:  # (head, d_model, d_head), as torch has it
        return torch.cat(list(W), 1).T

    together = [side_by_side(W) for W in (layer.W_Q, layer.W_K, layer.W_V)]
    theirs.in_proj_weight.data = torch.cat(together)
    theirs.out_proj.weight.data = layer.W_O.flatten(0, 1).T
    written, pattern = layer(x, Nowhere())
    mask = causal_mask(x.shape[1]).to(x)
    output, weights = theirs(x, x, x, attn_mask=mask, average_attn_weights=False)
    return max(difference(written.sum(1), output), difference(pattern, weights))


# --8<-- [end:library]


# --8<-- [start:scale]
def scores_by_size(
    d_k: int, n_queries: int, n_keys: int, generator: Generator
) -> dict[str, float]:
    """Scores of independent queries and keys with variance 1, and their softmax, plain
    and divided by sqrt(d_k)."""
    q = torch.randn(n_queries, 1, d_k, generator=generator)
    k = torch.randn(n_queries, n_keys, d_k, generator=generator)
    scores = (q * k).sum(-1)  # (query, key)
    plain, scaled = softmax(scores), softmax(scores / d_k**0.5)
    return {
        "variance": scores.var().item(),
        "largest_plain": plain.amax(-1).mean().item(),
        "largest_scaled": scaled.amax(-1).mean().item(),
        "slope_plain": slope(plain),
        "slope_scaled": slope(scaled),
    }


def slope(weights: Float[Tensor, "query key"]) -> float:
    """How much a weight answers to its own score: d w / d score = w (1 - w), summed
    over the keys. It is 0 where one key has it all."""
    return (weights * (1 - weights)).sum(-1).mean().item()


# --8<-- [end:scale]


# --8<-- [start:reach]
def reach(
    x: Float[Tensor, "1 pos d_model"], layer: SelfAttention, causal: bool
) -> Float[Tensor, "changed pos"]:
    """How far each output moves when one input is replaced by another vector."""

    def outputs(x: Tensor) -> Tensor:
        q, k, v = x @ layer.W_Q[0], x @ layer.W_K[0], x @ layer.W_V[0]
        return attention(q, k, v, causal_mask(x.shape[1]).to(x) if causal else 0.0)[0]

    moved = []
    for changed in range(x.shape[1]):
        other = x.clone()
        other[0, changed] = -other[0, changed]
        moved.append((outputs(other) - outputs(x)).norm(dim=-1)[0])
    return torch.stack(moved)


# --8<-- [end:reach]


# --8<-- [start:order]
def order_matters(
    layer: SelfAttention,
    x: Float[Tensor, "batch pos d_model"],
    positions: Nowhere,
) -> float:
    """How far the last output moves when the tokens before it change places."""

    def last(x: Tensor) -> Tensor:
        return layer(positions.add(x), positions)[0].sum(1)[:, -1]

    reversed_past = torch.cat([x[:, :-1].flip(1), x[:, -1:]], 1)
    return (last(reversed_past) - last(x)).norm(dim=-1).mean().item()


# --8<-- [end:order]


# --8<-- [start:formulas]
def rotary_error(d_head: int, config: Config, generator: Generator) -> float:
    """Move query and key together: largest change of their score."""
    q, k = torch.randn(2, d_head, dtype=torch.float64, generator=generator)
    scores = rotary_scores(q, k, config.n_positions)
    by_distance = [scores.diagonal(-back) for back in range(config.n_positions)]
    return max((s - s[0]).abs().max().item() for s in by_distance)


def rotary_scores(
    q: Float[Tensor, "d_head"], k: Float[Tensor, "d_head"], n_positions: int
) -> Float[Tensor, "query key"]:
    """The score of the same query and the same key at all pairs of positions."""
    same = torch.stack([q, k])[None, :, None].expand(1, 2, n_positions, -1)
    turned_q, turned_k = Rotary().rotate(same)[0]
    return turned_q @ turned_k.T / len(q) ** 0.5


def sinusoidal_error(d_model: int, n_positions: int) -> float:
    """Turn every position by the same angles: largest distance to where it should be,
    one step further, for steps of any length."""
    points = Sinusoidal(d_model).add(torch.zeros(1, n_positions, d_model).double())[0]
    circles = torch.view_as_complex(points.unflatten(-1, (-1, 2)))  # sin + i cos
    frequency = 10_000.0 ** -(torch.arange(0, d_model, 2).double() / d_model)
    worst = 0.0
    for shift in range(1, n_positions):
        turned = circles[:-shift] * torch.exp(-1j * shift * frequency)
        worst = max(worst, (turned - circles[shift:]).abs().max().item())
    return worst


def alibi_error(n_heads: int, n_positions: int) -> float:
    """Largest difference to -distance / 2^(8 h / n), where the key is not later."""
    bias = ALiBi(n_heads).bias(n_positions)
    return max(
        abs(bias[h, query, key].item() + (query - key) / 2 ** (8 * (h + 1) / n_heads))
        for h in range(n_heads)
        for query in range(n_positions)
        for key in range(query + 1)
    )


# --8<-- [end:formulas]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    layer = SelfAttention(config.d_model, config.n_heads, generator)
    exact = SelfAttention(config.d_model, config.n_heads, generator).double()
    shape = (config.batch, config.n_tokens, config.d_model)
    x = torch.randn(shape, generator=generator)
    q, k, v = torch.randn(3, *shape, generator=generator)
    qd, kd, vd = torch.randn(3, *shape, dtype=torch.float64, generator=generator)

    encodings = {
        "none": Nowhere(),
        "learned": Learned(config.n_tokens, config.d_model, generator),
        "sinusoidal": Sinusoidal(config.d_model),
        "rotary": Rotary(),
        "alibi": ALiBi(config.n_heads),
    }
    d_head = config.d_model // config.n_heads
    sizes = [
        scores_by_size(config.sizes[i], config.n_queries, config.n_keys, generator)
        for i in steps(len(config.sizes))
    ]
    with torch.no_grad():
        concatenated = concatenated_heads(exact, x.double())
        return {
            **{f"looked_up_{s}": soft_dictionary(float(s)) for s in SHARPNESS},
            "library_32": max(library_error(q, k, v), module_error(layer, x)),
            "library_64": max(
                library_error(qd, kd, vd), module_error(exact, x.double())
            ),
            "size": np.array(config.sizes),
            **{name: np.array([s[name] for s in sizes]) for name in sizes[0]},
            "reach_open": reach(x[:1], layer, causal=False).numpy(),
            "reach_causal": reach(x[:1], layer, causal=True).numpy(),
            "heads_error": (exact(x.double(), Nowhere())[0].sum(1) - concatenated)
            .abs()
            .max()
            .item(),
            **{
                f"order_{name}": order_matters(exact, x.double(), encoding.double())
                for name, encoding in encodings.items()
            },
            "rotary_error": rotary_error(d_head, config, generator),
            "sinusoidal_error": sinusoidal_error(config.d_model, config.n_positions),
            "alibi_error": alibi_error(config.n_heads, config.n_positions),
            **to_draw(config, generator),
        }


def concatenated_heads(
    layer: SelfAttention, x: Float[Tensor, "batch pos d_model"]
) -> Float[Tensor, "batch pos d_model"]:
    """What the heads read, side by side, times one tall W_O."""
    mask = causal_mask(x.shape[1]).to(x)
    reads = [
        attention(x @ W_Q, x @ W_K, x @ W_V, mask)[0]
        for W_Q, W_K, W_V in zip(layer.W_Q, layer.W_K, layer.W_V)
    ]
    return torch.cat(reads, -1) @ layer.W_O.flatten(0, 1)


# --8<-- [end:run]


# --8<-- [start:derived]
def variance_off(m: Measurements) -> float:
    """Largest relative distance of the variance from d_k."""
    return float(np.abs(m["variance"] / m["size"] - 1).max())


def leak(m: Measurements) -> float:
    """Largest move of an output that stands before the input that was changed."""
    return float(np.triu(m["reach_causal"].T, 1).max())


def least_reach(m: Measurements) -> float:
    """Smallest move that any input causes anywhere, without a mask."""
    return float(m["reach_open"].min())


def order_seen(m: Measurements) -> float:
    """Smallest move, over the four encodings, when the past is reversed."""
    names = ("learned", "sinusoidal", "rotary", "alibi")
    return min(float(m[f"order_{name}"]) for name in names)


# --8<-- [end:derived]

CLAIMS = [
    Claim(
        id="library",
        says=(
            "In 32-bit numbers our attention differs from torch's by less than a"
            " millionth of the largest output."
        ),
        value=lambda m: float(m["library_32"]),
        holds=lambda v: v < 1e-6,
        unit="of the largest output",
    ),
    Claim(
        id="library-64",
        says="In 64-bit numbers, by less than a millionth of a millionth of it.",
        value=lambda m: float(m["library_64"]),
        holds=lambda v: v < 1e-12,
        unit="of the largest output",
    ),
    Claim(
        id="variance",
        says="For every size tried, the variance of a score is within 10 % of d_k.",
        value=variance_off,
        holds=lambda v: v < 0.1,
        unit="of it",
        reported=Reported(
            "vaswani2017",
            "section 3.2.1",
            "mean 0 and variance d_k, for independent components of variance 1",
            "reproduced",
        ),
    ),
    Claim(
        id="saturates",
        says="At d_k = 1024 an unscaled softmax gives one key over nine tenths.",
        value=lambda m: float(m["largest_plain"][-1]),
        holds=lambda v: v > 0.9,
        unit="of the attention",
        reported=Reported(
            "vaswani2017",
            "section 3.2.1",
            "large products push the softmax where its gradients are small",
            "reproduced",
        ),
    ),
    Claim(
        id="slope",
        says="There its slope is less than a tenth of that of the scaled softmax.",
        value=lambda m: float(m["slope_plain"][-1] / m["slope_scaled"][-1]),
        holds=lambda v: v < 0.1,
    ),
    Claim(
        id="scaled",
        says="Scaled, the largest weight is the same at every size, within a fifth.",
        value=lambda m: float(m["largest_scaled"].max() / m["largest_scaled"].min()),
        holds=lambda v: v < 1.2,
        digits=3,
    ),
    Claim(
        id="causal",
        says="With the mask, no later token moves an earlier output at all.",
        value=leak,
        holds=lambda v: v == 0.0,
    ),
    Claim(
        id="open",
        says="Without the mask, each token moves each output.",
        value=least_reach,
        holds=lambda v: v > 1e-3,
    ),
    Claim(
        id="heads",
        says="Heads side by side, times one W_O, are the sum of what each head writes.",
        value=lambda m: float(m["heads_error"]),
        holds=lambda v: v < 1e-12,
        reported=Reported(
            "elhage2021",
            "section Attention Heads are Independent and Additive",
            "a layer's output is the sum of its heads' outputs",
            "reproduced",
        ),
    ),
    Claim(
        id="blind",
        says="Without an encoding, reversing the past does not move the last output.",
        value=lambda m: float(m["order_none"]),
        holds=lambda v: v < 1e-12,
    ),
    Claim(
        id="sees-order",
        says="With each of the four encodings it does.",
        value=order_seen,
        holds=lambda v: v > 0.01,
    ),
    Claim(
        id="rotary",
        says="With rotary positions a score depends on the distance only.",
        value=lambda m: float(m["rotary_error"]),
        holds=lambda v: v < 1e-12,
        reported=Reported(
            "su2021",
            "abstract",
            "rotations by the position make scores depend on relative position",
            "reproduced",
        ),
    ),
    Claim(
        id="sinusoidal",
        says="A step along sinusoidal positions is a rotation, the same everywhere.",
        value=lambda m: float(m["sinusoidal_error"]),
        holds=lambda v: v < 1e-12,
        reported=Reported(
            "vaswani2017",
            "section 3.5",
            "a shift by k is a linear function of the position's vector",
            "reproduced",
        ),
    ),
    Claim(
        id="alibi",
        says="ALiBi takes the distance times the head's slope off each score.",
        value=lambda m: float(m["alibi_error"]),
        holds=lambda v: v < 1e-6,
    ),
]


def to_draw(config: Config, generator: Generator) -> dict[str, np.ndarray]:
    """The encodings as pictures."""
    n, d_model = config.n_positions, config.d_model
    half = n // 2
    d_head = d_model // config.n_heads
    q, k = torch.randn(2, d_head, dtype=torch.float64, generator=generator)
    points = Sinusoidal(d_model).add(torch.zeros(1, n, d_model))[0]
    scores = rotary_scores(q, k, n)
    return {
        "sinusoidal": points.numpy(),
        "rotary": np.stack(
            [
                scores[i, : i + 1].flip(0)[:half]
                for i in (half - 1, 3 * half // 2 - 1, n - 1)
            ]
        ),
        "alibi": ALiBi(config.n_heads).bias(half)[:, -1].flip(1).numpy(),
    }


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "scale": draw_scale(runs),
        "reach": draw_reach(runs[0]),
        "encodings": draw_encodings(runs[0]),
    }


# --8<-- [end:draw]


def draw_scale(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["size"]
    style.seeds_and_median(
        top, x, [m["variance"] for m in runs], 0, "measured", marker="o"
    )
    top.plot(x, x, color=style.ink(), linewidth=0.9, linestyle=":", label="$d_k$")
    top.set(xscale="log", yscale="log", ylabel="variance of a score $q \\cdot k$")
    top.legend()
    for index, (name, label) in enumerate(
        (("plain", "plain"), ("scaled", "divided by $\\sqrt{d_k}$"))
    ):
        curves = [m[f"largest_{name}"] for m in runs]
        style.seeds_and_median(bottom, x, curves, index, label, marker="o")
    style.level(bottom, 1 / 32, "even: 1/32")
    bottom.set(
        xlabel="$d_k$, the size of queries and keys",
        ylabel="largest of 32 weights",
        ylim=(0, 1.02),
    )
    bottom.set_xticks(x, [str(size) for size in x])
    bottom.minorticks_off()
    bottom.legend(loc="center right", bbox_to_anchor=(1, 0.4))
    return figure


def draw_reach(m: Measurements) -> Figure:
    figure, axes = style.panels(1, 2, height=2.9)
    largest = max(m["reach_open"].max(), m["reach_causal"].max())
    for ax, name, title in (
        (axes[0, 0], "reach_open", "without a mask"),
        (axes[0, 1], "reach_causal", "with the causal mask"),
    ):
        moved = np.ma.masked_equal(m[name].T, 0.0)  # (output, changed input)
        image = ax.imshow(moved, vmin=0, vmax=largest, interpolation="none")
        ax.set_title(title)
        ax.set(xlabel="token that is changed", xticks=(0, 5, 11), yticks=(0, 5, 11))
        ax.set_xticklabels((1, 6, 12))
        ax.set_yticklabels((1, 6, 12))
        ax.grid(False)
    axes[0, 0].set_ylabel("token whose output moves")
    figure.colorbar(image, ax=axes[0], shrink=0.7, label="how far", pad=0.02)
    return figure


def draw_encodings(m: Measurements) -> Figure:
    figure, axes = style.panels(3, height=2.3)
    first, second, third = axes[:, 0]
    first.imshow(
        m["sinusoidal"].T, aspect="auto", cmap="RdBu", vmin=-1, vmax=1,
        interpolation="none",
    )  # fmt: skip
    first.set(xlabel="position", ylabel="coordinate")
    first.set_title("sinusoidal: the vector added at each position")
    first.grid(False)
    n = len(m["sinusoidal"])
    places = (n // 2, 3 * n // 4, n)
    for index, (curve, label) in enumerate(zip(m["rotary"], places)):
        second.plot(
            curve,
            color=style.colour(index),
            linestyle=("-", "--", ":")[index],
            linewidth=(4, 2.5, 1.5)[index],
            label=f"query at position {label}",
        )
    second.set(xlabel="tokens back", ylabel="score")
    second.set_title("rotary: one query, one key, at every distance")
    second.legend(fontsize=8)
    for head, line in enumerate(m["alibi"]):
        third.plot(line, color=style.colour(head), label=f"head {head + 1}")
    third.set(xlabel="tokens back", ylabel="added to the score")
    third.set_title("ALiBi: a slope for each head")
    third.legend(fontsize=8)
    return figure
