"""A short run of the sparse regression, and its states."""

import numpy as np
import torch

from snippets.icl.networks.regression_states import query_states
from snippets.icl.networks.regression_transformer import RegressionTransformer, Sizes, layer_norm
from snippets.meta_learning import sparse_bases

SHORT = sparse_bases.Config(n_steps=2, batch=4, n_each=20, n_told=12)


def test_the_last_state_is_what_the_answer_is_read_from():
    network = RegressionTransformer(Sizes(3, 2, 8, 2), torch.Generator().manual_seed(0))
    x, y = torch.randn(4, 5, 3), torch.randn(4, 5)
    states = query_states(network, x, y)
    assert states.shape == (3, 4, 8)
    answer = layer_norm(states[-1]) @ network.W_read + network.b_read
    torch.testing.assert_close(answer, network(x, y)[:, -1])


def test_a_short_run_is_finite_repeats_and_knows_its_oracles():
    one, two = (sparse_bases.run(SHORT, 3) for _ in range(2))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert (one["error_told"] < one["error_ridge"]).all()


def test_each_claim_can_fail_and_can_hold():
    errors = {"error_ridge": np.full(6, 0.3), "error_bayes": np.full(6, 0.01)}
    good = errors | {"error_network": np.full(6, 0.35), "decodable": np.array([0.25, 0.3])}
    bad = errors | {"error_network": np.full(6, 0.02), "decodable": np.array([0.25, 0.9])}
    for claim in sparse_bases.CLAIMS:
        assert claim.holds(claim.value(good)) and not claim.holds(claim.value(bad)), claim.id
