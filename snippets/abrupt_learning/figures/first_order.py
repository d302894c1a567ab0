"""The figures of abrupt_learning/first_order."""

from matplotlib.figure import Figure

from snippets.contract import Measurements
from snippets.style import colour, ink, panels, seeds_and_median

BESIDE = {"textcoords": "offset points", "fontsize": 9}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"loop": draw_loop(runs), "sizes": draw_sizes(runs)}


def draw_loop(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.1)
    ax = axes[0, 0]
    decay, attention = runs[0]["curve"]
    line = {"color": ink(), "linestyle": ":", "linewidth": 1.2}
    ax.plot(decay, attention, label="states at rest", **line)
    for way, index, marker, name in (
        ("up", 0, "^", "decay grows, from a head"),
        ("down", 1, "v", "decay shrinks, from the plateau"),
    ):
        for number, m in enumerate(runs):
            dots = {"color": colour(index), "markersize": 4.5, "alpha": 0.5}
            label = name if not number else f"_{name}, seed {number}"
            ax.plot(m["decays"], m[way], marker, label=label, **dots)
    ax.set(xscale="log", xlim=(0.014, 0.27), ylim=(0, 1))
    ax.set_xticks((0.02, 0.05, 0.1, 0.2), ("0.02", "0.05", "0.1", "0.2"))
    ax.minorticks_off()
    ax.set(xlabel="decay", ylabel="attention on the right label")
    ax.annotate("head", (0.0155, 0.85), xytext=(0, 7), **BESIDE)
    ax.annotate("plateau", (0.25, 0.06), xytext=(0, 7), ha="right", **BESIDE)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=1)
    return fig


def draw_sizes(runs: list[Measurements]) -> Figure:
    fig, axes = panels(2, height=2.7, sharex=True)
    top, bottom = axes[:, 0]
    n = runs[0]["n_pairs"]
    for index, (ratio, style) in enumerate((("L = 4 N", "-"), ("L = N", "--"))):
        plateau, head = runs[0]["ends"][1 - index].T
        for ends, marker, name in ((head, "^", "head"), (plateau, "v", "plateau")):
            line = {"color": colour(index), "marker": marker, "linestyle": style}
            top.plot(n, ends, label=f"{name} ends, {ratio}", markersize=4, **line)
    top.set(yscale="log", ylabel="decay", ylim=(5e-5, 2))
    top.legend(loc="upper right", ncols=2, fontsize=8.5)
    shares = [m["width"] / m["wait"] for m in runs]
    seeds_and_median(bottom, n, shares, 2, "L = 4 N")
    line = {"color": ink(), "linestyle": ":"}
    theory = shares[0][2] * (n / 8) ** -2
    bottom.plot(n, theory, label="$N^{-2}$", linewidth=1, **line)
    bottom.set(xscale="log", yscale="log", xlabel="pairs, $N$")
    bottom.set(ylabel="fall, as a share\nof the wait", xticks=n)
    bottom.set_xticks(n, [str(int(size)) for size in n])
    bottom.minorticks_off()
    bottom.legend()
    return fig
