"""Figures as files: small, and the same to the eye."""

import io
import re

import numpy as np
from PIL import Image

from snippets import style
from snippets.book.figures import drawing


def wave():
    figure, axes = style.panels(1)
    x = np.linspace(0, 1, 300)
    axes[0, 0].plot(x, np.sin(40 * x), label="wave")
    return figure


def test_coordinates_end_after_a_hundredth_of_a_point():
    with style.use("light"):
        svg = drawing.render(wave(), "svg").decode()
    drawn = re.findall(r' d="(M [^"]*)"', svg)
    assert drawn and not [path for path in drawn if re.search(r"\d\.\d{3}", path)]
    whole = "<svg " in svg and svg.rstrip().endswith("</svg>")
    assert whole and len(re.findall(r"[ML] ", max(drawn, key=len))) > 100, "no point is lost"


def test_pixels_in_few_colours_look_the_same():
    with style.use("dark"):
        figure = wave()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        small = drawing.render(figure, "png")
    assert len(small) < len(buffer.getvalue())
    before, after = (np.asarray(Image.open(file).convert("RGBA"), dtype=float) for file in (buffer, io.BytesIO(small)))
    assert before.shape == after.shape and np.abs(before - after).mean() < 1
