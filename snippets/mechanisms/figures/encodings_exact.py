"""The figure of mechanisms/encodings_exact. Nothing in it is measured."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.networks.positional_encodings import ALiBi, Sinusoidal
from snippets.icl.streams import streams
from snippets.mechanisms.encodings_exact import PRESETS, rotary_scores

CONFIG = PRESETS["laptop"]
N = CONFIG.n_positions


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(3, height=2.3)
    for ax, panel in zip(axes[:, 0], (draw_sinusoidal, draw_rotary, draw_alibi)):
        panel(ax)
    return {"encodings": figure}


def draw_sinusoidal(ax: Axes) -> None:
    points = Sinusoidal(CONFIG.d_model).add(torch.zeros(1, N, CONFIG.d_model))[0]
    ax.imshow(
        points.T, aspect="auto", cmap="RdBu", vmin=-1, vmax=1, interpolation="none"
    )
    ax.set(xlabel="position", ylabel="coordinate")
    ax.set_title("sinusoidal: the vector added at each position")
    ax.grid(False)


def draw_rotary(ax: Axes) -> None:
    d_head, (some,) = CONFIG.d_model // CONFIG.n_heads, streams(0, 1)
    q, k = torch.randn(2, d_head, dtype=torch.float64, generator=some)
    scores = rotary_scores(q, k, N)
    for index, place in enumerate((N // 2, 3 * N // 4, N)):
        ax.plot(
            scores[place - 1, :place].flip(0)[: N // 2],  # by how far back the key is
            color=style.colour(index),
            linestyle=("-", "--", ":")[index],
            linewidth=(4, 2.5, 1.5)[index],
            label=f"query at position {place}",
        )
    ax.set(xlabel="tokens back", ylabel="score")
    ax.set_title("rotary: one query, one key, at every distance")
    ax.legend(fontsize=8)


def draw_alibi(ax: Axes) -> None:
    lines = ALiBi(CONFIG.n_heads).bias(N // 2)[:, -1].flip(1)  # (head, tokens back)
    for head, line in enumerate(lines):
        ax.plot(line, color=style.colour(head), label=f"head {head + 1}")
    ax.set(xlabel="tokens back", ylabel="added to the score")
    ax.set_title("ALiBi: a slope for each head")
    ax.legend(fontsize=8)
