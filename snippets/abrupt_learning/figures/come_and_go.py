"""The figures of abrupt_learning/come_and_go."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

WAYS = (
    ("novel", 0, "new classes: read", "-"),
    ("swapped", 1, "swapped: as the context has it", "-"),
    ("usual", 2, "swapped: the usual name", "--"),
)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"race": draw_race(runs), "kept": draw_kept(runs)}


def share_axis(ax: Axes, label: str) -> None:
    ax.set(xscale="log", ylim=(-0.03, 1.05), ylabel=label, xlim=(1, None))


def lines(ax: Axes, runs: list[Measurements], cell: str) -> None:
    x = runs[0][cell]["step"][1:]  # step 0 has no place on a logarithm
    for name, index, label, dash in WAYS:
        ys = [m[cell][name][1:] for m in runs]
        style.seeds_and_median(ax, x, ys, index, label, linestyle=dash)


def draw_race(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    lines(top, runs, "plain")
    share_axis(top, "share of prompts")
    style.level(top, 1 / 4, "$1/N$", x=0.99, below=True)
    top.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    x = runs[0]["plain"]["step"][1:]
    ys = [m["plain"]["loss"][1:] for m in runs]
    style.seeds_and_median(bottom, x, ys, 4, "loss")
    bottom.set(xscale="log", yscale="log", xlabel="training step")
    bottom.set_ylabel("loss, as in training (nats)")
    return figure


def draw_kept(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(3, height=1.75, sharex=True)
    titles = (
        ("plain", "another item of the class is asked for"),
        ("same", "the very item of the context is asked for"),
        ("decay", "another item, with weight decay"),
    )
    for ax, (cell, title) in zip(axes[:, 0], titles):
        lines(ax, runs, cell)
        share_axis(ax, "share")
        ax.set_title(title, fontsize=9.5)
        ax.set_yticks((0, 0.5, 1))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    axes[-1, 0].set_xlabel("training step")
    return figure
