"""What repeats: the claims' numbers by hand, and a run on little text."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.theory.copier import bigram_table
from snippets.induction_heads import what_repeats
from snippets.induction_heads.what_repeats import binned, gain, measure, own_score, three_against_one


def test_bins_are_means_over_places():
    loss = torch.arange(16.0)[None].repeat(2, 1)
    assert binned(loss).tolist() == [0, 1, 2, 3, 4.5, 6.5, 9.5, 13.5]


def test_numbers_of_the_claims_by_hand():
    m = {
        "code_128_score": -0.5, "code_128_table_score": 0.1, "code_128_table_loss": 3.0, "code_128_loss": 2.5,
        "code_128_reliable": np.array([0, 0.2, 0.3, 0.6]),
    }  # fmt: skip
    assert own_score(m, "code") == pytest.approx(-0.6)
    assert gain(m, "code") == pytest.approx(0.5)
    assert three_against_one(m) == pytest.approx(0.4)


def test_what_returns_pays_and_noise_does_not():
    noise = torch.randint(8, (64, 129), generator=torch.Generator().manual_seed(0))
    table = bigram_table(list(noise), 8)
    plain = measure(noise[:32], noise[32:], table)
    again = torch.randint(8, (64, 43), generator=torch.Generator().manual_seed(1)).repeat(1, 3)
    paid = measure(again[:32], again[32:], table)
    assert paid["right"] > 0.6 > 0.2 > plain["right"]
    assert paid["loss"] < paid["table_loss"] - 0.5
    assert abs(plain["loss"] - plain["table_loss"]) < 0.05
    assert paid["score"] - paid["table_score"] < -0.5


def test_a_short_run_is_complete():
    config = replace(what_repeats.PRESETS["laptop"], corpora=("novel",), contexts=(128,), n_words=2048)
    m = what_repeats.run(config, 7)
    assert 0 < m["novel_128_right"] < 0.2 and len(m["novel_128_by_place"]) == 14
    assert all(np.isfinite(value).all() for value in m.values())
