"""What the chapters print by hand, short listings and worked examples, is what the book's code computes."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from snippets.abrupt_learning.saddle import PRESETS, adam_steps, growth, slope
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.theory.three_exponentials import first_layer, loss, second_layer

DOCS = Path(__file__).parents[2] / "docs" / "abrupt-learning"


def in_short(chapter: str) -> str:
    """The listing of a chapter whose title ends with 'in short'."""
    text = (DOCS / f"{chapter}.md").read_text()
    found = re.search(r'^```python title="[^"]* in short"\n(.*?)^```', text, re.DOTALL | re.MULTILINE)
    assert found, f"{chapter}.md prints no short listing"
    return found[1]


def test_the_network_in_short_is_the_network():
    network = TwoLayerNetwork(12, 6, 5, 8, torch.Generator().manual_seed(0))
    x = torch.randn(9, 12, generator=torch.Generator().manual_seed(1))
    later = torch.ones(9, 9, dtype=torch.bool).triu(1)

    def classify(z: torch.Tensor) -> torch.Tensor:
        for W in network.W_hidden:
            z = torch.relu(z @ W)
        return z @ network.W_out

    names = {
        **{name: getattr(network, name) for name in ("W_Q", "W_K", "W_V")},
        "x": x,
        "softmax": lambda scores: scores.softmax(-1),
        "mask": lambda scores: scores.masked_fill(later, -torch.inf),
        "classify": classify,
    }
    exec(in_short("jump"), names)
    logits, first, second = network(x[None])
    torch.testing.assert_close(names["logits"], logits[0])
    torch.testing.assert_close(names["first"], first[0])
    torch.testing.assert_close(names["second"], second[0])


def test_the_table_of_two_looks():
    def share(y: float, alpha: float) -> float:
        return float(second_layer(torch.tensor(alpha * y), n_pairs=8)[0])

    found = [round(100 * share(*looks)) for looks in ((0.9, 6.0), (1 / 9, 6.0), (0.9, 0.0))]
    assert found == [93, 11, 6]


def test_the_loss_in_short_is_the_loss():
    theta = torch.tensor([4.0, 3.0, 2.0], dtype=torch.float64)
    names = dict(zip(("xi", "alpha", "beta"), theta.tolist(), strict=True)) | {"N": 8, "L": 32}
    exec(in_short("cliff"), names | {"exp": math.exp, "log": math.log}, names)
    assert names["loss"] == pytest.approx(float(loss(theta, 8, 32)), abs=1e-12)


@pytest.mark.parametrize(
    ("numbers", "printed"),
    [
        ((0, 0, 0), (0.11, 0.06, 0.03, 3.47)),
        ((8, 5, 3), (0.72, 0.69, 0.89, 0.12)),
        ((4, 5, 3), (0.72, 0.69, 0.33, 1.10)),
        ((8, 2.5, 3), (0.72, 0.27, 0.21, 1.58)),
        ((8, 5, 1.5), (0.36, 0.27, 0.21, 1.57)),
    ],
)
def test_the_table_of_three_numbers(numbers, printed):
    xi, alpha, beta = (torch.tensor(float(number), dtype=torch.float64) for number in numbers)
    y = first_layer(beta, 8)
    z, _ = second_layer(alpha * y, 8)
    nats = float(loss(torch.stack([xi, alpha, beta]), 8, 32))
    assert (round(float(y), 2), round(float(z), 2), round(math.exp(-nats), 2), round(nats, 2)) == printed


def test_the_slopes_of_the_curriculum():
    assert [round(slope(8, n_labels), 4) for n_labels in (32, 9, 8)] == [0.0441, 0.0065, 0]
    assert growth(8, 8) == pytest.approx(0.0057, abs=5e-5)


def test_adam_from_nearer_starts():
    config = PRESETS["laptop"]
    assert [adam_steps(np.full(3, size), 8, 8, config) for size in (1e-4, 1e-8)] == [170, 171]
