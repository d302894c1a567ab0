"""A walk through the network ends where the network does; what is left out writes nothing."""

import pytest
import torch

from snippets.icl.networks.regression_transformer import RegressionTransformer, Sizes
from snippets.icl.networks.regression_walk import own_answers, shares_of_answer, walk
from snippets.icl.tasks.linear_regression import draw_prompts

SIZES = Sizes(d=2, n_layers=3, width=8, n_heads=2)


def drawn(seed: int = 0) -> tuple[RegressionTransformer, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    network = RegressionTransformer(SIZES, g, scale=2.0).double()
    with torch.no_grad():
        network.b_read.fill_(0.3)
    prompts = draw_prompts(6, 4, 2, g, dtype=torch.float64)
    return network, prompts.x, prompts.y


def test_it_ends_with_the_networks_answer():
    for seed in range(3):
        network, x, y = drawn(seed)
        states = walk(network, x, y)
        assert states.shape == (7, 6, 8)
        torch.testing.assert_close(own_answers(network, states)[-1], network(x, y)[:, -1].detach())


def test_shares_add_up_to_the_answer_and_only_with_the_last_norm():
    network, x, y = drawn()
    states = walk(network, x, y)
    answers, shares = own_answers(network, states), shares_of_answer(network, states)
    torch.testing.assert_close(shares.sum(0), answers[-1])
    assert not torch.allclose(shares[:3].sum(0), answers[2])


def test_what_is_silent_writes_nothing_and_the_rest_does():
    network, x, y = drawn()
    states = walk(network, x, y, silent=frozenset({(1, "mlp")}))
    torch.testing.assert_close(states[4], states[3])
    assert not torch.allclose(states[3], states[2])
    everything = frozenset((i, kind) for i in range(3) for kind in ("attention", "mlp"))
    torch.testing.assert_close(walk(network, x, y, silent=everything)[-1], walk(network, x, y)[0])


def test_leaving_out_a_layer_is_silencing_both_of_its_writes():
    network, x, y = drawn()
    without = walk(network, x, y, [0, 2])[-1]
    silent = walk(network, x, y, silent=frozenset({(1, "mlp"), (1, "attention")}))[-1]
    torch.testing.assert_close(without, silent)
    assert not torch.allclose(walk(network, x, y, [2, 0])[-1], without)


def test_the_last_y_is_not_read_and_the_others_are():
    network, x, y = drawn()
    changed = y.clone()
    changed[:, -1] += 5
    torch.testing.assert_close(walk(network, x, changed), walk(network, x, y))
    changed[:, 0] += 1
    assert not torch.allclose(walk(network, x, changed)[-1], walk(network, x, y)[-1])


@pytest.mark.parametrize(
    "order, words", [([0, 3], "there is no layer 3: name layers from 0 to 2"), ([], "no layer is applied")]
)
def test_layers_that_do_not_exist(order: list[int], words: str):
    network, x, y = drawn()
    with pytest.raises(ValueError, match=words):
        walk(network, x, y, order)
