"""What the tests of every lab share."""

import re
from types import SimpleNamespace

import matplotlib
import pytest
import torch

from snippets.book.pages import labs


@pytest.fixture(scope="module")
def lab(request) -> SimpleNamespace:
    """Everything that the lab of this test module defines, run as a script. SHORT may set some of its numbers lower."""
    matplotlib.use("Agg")
    torch.set_num_threads(1)
    text = labs.script(request.module.LAB)
    for name, value in getattr(request.module, "SHORT", {}).items():
        text, found = re.subn(rf"^{name} = [\d_]+", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found == 1, f"{name} is set {found} times"
    names: dict = {}
    exec(compile(text, request.module.LAB, "exec"), names)
    matplotlib.pyplot.close("all")
    return SimpleNamespace(**names)
