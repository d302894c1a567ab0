"""The three numbers with part of the first look given."""

import numpy as np
import pytest
import torch

from snippets.abrupt_learning import helped_flow as chapter
from snippets.icl.theory.head_flow import edge
from snippets.icl.theory.three_exponentials import first_layer


@pytest.mark.parametrize("h", [0.0, 0.2, 0.9])
def test_a_label_holds_what_is_given_and_its_own_share_of_the_rest(h):
    beta = torch.linspace(-2, 3, 11, dtype=torch.float64)
    own = first_layer(beta, 8)
    torch.testing.assert_close(first_layer(beta, 8, chapter.helped(h, 8)), h + (1 - h) * own)


def test_without_help_it_is_the_flow_of_the_other_chapters():
    start = np.array([0.01, 0.02, 0.005])
    there, _ = edge(start, 8, 32)
    assert chapter.wait(torch.from_numpy(start), 0.0, chapter.Config()) == pytest.approx(there, abs=0.06)


def test_the_formula_counts_what_a_label_holds_at_first():
    assert chapter.by_formula(0.0) == 1 and chapter.by_formula(1.0) == pytest.approx(1 / 3)
    assert chapter.by_formula(0.2) == pytest.approx(1 / np.sqrt(2.6))
