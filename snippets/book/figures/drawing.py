"""From measurements to files: each figure in two themes, and the data it shows."""

import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from snippets import style
from snippets.book.errors import BookError
from snippets.book.figures import listed
from snippets.book.measure import catalogue, fingerprint, store
from snippets.book.measure.catalogue import Experiment
from snippets.book.measure.pipeline import runs
from snippets.book.paths import figures

LARGEST_SVG = 150_000  # bytes; a figure over it is stored as pixels
LIST = "figures.json"
PATH = re.compile(rb' d="M [^"]*"')  # what is drawn; the shapes of letters, in <defs>, are in units of their own
LONG = re.compile(rb"(\d\.\d\d)\d+")
CSS_PIXELS = 96  # an inch


def draw(experiment: Experiment, preset: str, seeds: list[int]) -> dict[str, Any]:
    """Draw every figure of an experiment in both themes. The list of them is written last: no list, no figures."""
    measurements, _ = runs(experiment, preset, seeds)
    folder = figures(experiment.name, preset)
    files_of: dict[str, dict[str, str]] = {}
    size_of: dict[str, list[int]] = {}
    for theme in ("light", "dark"):
        with style.use(theme):
            drawn = experiment.draw(measurements)
            if not isinstance(drawn, dict) or not drawn or not all(isinstance(f, Figure) for f in drawn.values()):
                raise BookError(f"{experiment.name}: draw returned no named figures; return a dictionary of Figure")
            for name, figure in drawn.items():
                files = save(figure, folder, name, theme)
                files_of.setdefault(name, {}).update({path.name: sha for path, sha in files.items()})
                size_of[name] = [round(inches * CSS_PIXELS) for inches in figure.get_size_inches()]
            plt.close("all")
    stamp = fingerprint.of_figures(experiment.name, preset, seeds)
    about = {"fingerprint": stamp, "figures": files_of, "sizes": size_of}
    store.write_json(folder / LIST, about)
    wanted = {LIST} | {file for files in files_of.values() for file in files}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()  # figures that are no longer drawn, and what a kill left unfinished
    return about


def draw_by_name(name: str, preset: str, seeds: list[int]) -> None:
    """The same, for a worker."""
    draw(catalogue.load(name), preset, seeds)


def save(figure: Figure, folder: Path, name: str, theme: str) -> dict[Path, str]:
    """Write one figure in one theme, as SVG unless that is too large, and with the light one its data."""
    content = render(figure, "svg")
    suffix = "svg" if len(content) <= LARGEST_SVG else "png"
    files = {folder / f"{name}.{theme}.{suffix}": content if suffix == "svg" else render(figure, "png")}
    if theme == "light":
        data = {"figure": name, "axes": [axes_data(ax) for ax in figure.axes]}
        files[folder / f"{name}.json"] = (json.dumps(data, separators=(",", ":")) + "\n").encode()
    for path, content in files.items():
        store.write(path, content)
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def render(figure: Figure, suffix: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix, metadata={"Date": None} if suffix == "svg" else None)
    return rounded(buffer.getvalue()) if suffix == "svg" else fewer_colours(buffer.getvalue())


def rounded(svg: bytes) -> bytes:
    """A drawing whose coordinates end after a hundredth of a point: nobody sees more, and it is a third smaller."""
    return PATH.sub(lambda match: LONG.sub(rb"\1", match[0]), svg)


def fewer_colours(png: bytes) -> bytes:
    """Pixels in 256 colours, transparency among them: a figure has few, and is a third as large."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).quantize(256, method=Image.Quantize.FASTOCTREE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def axes_data(ax: Axes) -> dict[str, Any]:
    """What one pair of axes shows: its lines, points, bars and images, by label."""
    data: dict[str, Any] = {"title": ax.get_title(loc="left"), "x": ax.get_xlabel(), "y": ax.get_ylabel()}
    lines = [
        {"label": str(line.get_label()).lstrip("_"), "x": numbers(line.get_xdata()), "y": numbers(line.get_ydata())}
        for line in ax.lines
    ]
    points = [
        {"label": str(group.get_label()).lstrip("_"), "xy": numbers(group.get_offsets())}
        for group in ax.collections
        if len(np.asarray(group.get_offsets())) > 1
    ]
    fields = [
        {"label": str(group.get_label()).lstrip("_"), "values": numbers(group.get_array())}
        for group in [*ax.collections, *ax.images]
        if group.get_array() is not None
    ]
    bars = [
        dict(zip(("x", "y", "width", "height"), map(float, bar.get_bbox().bounds), strict=True))
        for bar in ax.patches
        if isinstance(bar, Rectangle)
    ]
    for key, value in (("lines", lines), ("points", points), ("fields", fields), ("bars", bars)):
        if value:
            data[key] = value
    return data


def numbers(values: Any) -> list:
    """An array as nested lists of numbers with five significant digits; what is masked or not finite becomes null."""
    array: np.ndarray = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
    return np.vectorize(lambda v: float(f"{v:.5g}") if np.isfinite(v) else None, otypes=[object])(array).tolist()


def read_figures(experiment: str, preset: str, seeds: list[int]) -> dict[str, dict[str, str]] | None:
    """The figures of an experiment by name, each a map from file name to hash; None where there are none yet.

    Raises BookError where they are stale, or a file is missing or not the one that was drawn.
    """
    about = listed.read(experiment, preset, seeds)
    return about and about["figures"]


def sizes(experiment: str, preset: str, seeds: list[int]) -> dict[str, tuple[int, int]]:
    """Width and height of each figure in CSS pixels, by name; as `read_figures` else."""
    about = listed.read(experiment, preset, seeds)
    return {name: (width, height) for name, (width, height) in (about or {"sizes": {}})["sizes"].items()}
