"""The regression transformer: who reads whom, what it refuses, and a short training."""

import pytest
import torch

from snippets.icl.networks.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    optimizers_of,
    share_of_rate,
    train,
)
from snippets.icl.tasks.linear_regression import draw_prompts


def small(seed: int = 0, **sizes) -> RegressionTransformer:
    generator = torch.Generator().manual_seed(seed)
    return RegressionTransformer(Sizes(**({"d": 2, "n_layers": 2, "width": 8} | sizes)), generator, scale=1.5)


@pytest.fixture
def prompts():
    return draw_prompts(3, 4, 2, torch.Generator().manual_seed(1))


def test_a_prediction_reads_only_the_examples_before(prompts):
    network, (x, y) = small(), (prompts.x, prompts.y)
    before = network(x, y)
    changed_y = y.clone()
    changed_y[:, 2] += 1
    after = network(x, changed_y)
    torch.testing.assert_close(after[:, :3], before[:, :3])
    assert (after[:, 3:] - before[:, 3:]).abs().min() > 1e-6
    changed_x = x.clone()
    changed_x[:, 2] += 1
    torch.testing.assert_close(network(changed_x, y)[:, :2], before[:, :2])


def test_the_last_y_is_not_read(prompts):
    network, y = small(), prompts.y.clone()
    before = network(prompts.x, y)
    y[:, -1] = 100
    torch.testing.assert_close(network(prompts.x, y), before)


def test_a_query_sees_no_other_query(prompts):
    network, x = small(), prompts.x
    other = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    other[:, 3] = x[:, 3]
    torch.testing.assert_close(network(x, prompts.y, other)[:, 3], network(x, prompts.y)[:, 3])
    same = x[:, -1:].expand_as(x)
    asked = network(x, prompts.y, same)
    for k in range(x.shape[1]):  # as if the prompt had stopped after k examples
        short = torch.cat([x[:, :k], x[:, -1:]], 1)
        torch.testing.assert_close(network(short, prompts.y[:, : k + 1])[:, -1], asked[:, k])


def test_with_one_layer_the_order_of_the_examples_does_not_matter(prompts):
    network = small(n_layers=1)
    swapped = torch.tensor([1, 0, 3, 2, 4])
    one = network(prompts.x, prompts.y)[:, -1]
    other = network(prompts.x[:, swapped], prompts.y[:, swapped])[:, -1]
    torch.testing.assert_close(one, other)


def test_without_examples_it_answers_from_the_query_alone(prompts):
    network = small()
    answer = network(prompts.x[:, :1], prompts.y[:, :1])
    assert answer.shape == (3, 1) and torch.isfinite(answer).all()


def test_no_answer_exceeds_the_bound(prompts):
    network = small()
    for scale in (1, 1e3, 1e6):
        answers = network(scale * prompts.x, scale * prompts.y)
        assert answers.abs().max() <= network.largest_answer() * 1.001
    W = network.W_read.detach()  # the bound is reached by the vector along W_read
    best = (W - W.mean()) / (W - W.mean()).norm() * 8**0.5
    assert (best @ W).item() == pytest.approx(network.largest_answer(), rel=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "asked", "message"),
    [
        ((3, 5, 2), (3, 4), (3, 5, 2), "a y for each x"),
        ((3, 5, 3), (3, 5), (3, 5, 3), "reads d = 2"),
        ((3, 0, 2), (3, 0), (3, 0, 2), "at least the query"),
        ((3, 5, 2), (3, 5), (3, 4, 2), "ask one at every place"),
        ((3, 5, 2), (3, 5), (3, 5, 3), "ask one at every place"),
    ],
)
def test_what_it_cannot_read_is_named(x, y, asked, message):
    with pytest.raises(ValueError, match=message):
        small().check(torch.zeros(x), torch.zeros(y), torch.zeros(asked))


def test_it_checks_what_it_is_given(prompts):
    with pytest.raises(ValueError, match="reads d = 3"):
        small(d=3)(prompts.x, prompts.y)


def test_heads_divide_the_width():
    with pytest.raises(ValueError, match="n_heads = 3 does not divide width = 8"):
        small(n_heads=3)


def test_the_rate_rises_and_falls():
    training = Training(n_steps=100, warm_up=0.1)
    shares = [share_of_rate(step, training) for step in range(100)]
    assert shares[0] < 0.11 and max(shares) > 0.97 and shares[-1] < 0.001
    assert shares.index(max(shares)) in (9, 10)


def test_without_warm_up_the_rate_starts_at_its_height():
    assert share_of_rate(0, Training(n_steps=5, warm_up=0.0)) == 1


def test_each_weight_has_one_optimizer():
    for rate, n in ((0.01, 2), (None, 1)):
        network = small()
        optimizers = optimizers_of(network, Training(1, muon_rate=rate))
        held = [id(p) for o in optimizers for group in o.param_groups for p in group["params"]]
        assert len(optimizers) == n
        assert sorted(held) == sorted(id(p) for p in network.parameters())


def test_training_lowers_the_loss():
    generator = torch.Generator().manual_seed(3)
    network = small(d=1)
    test = draw_prompts(500, 4, 1, generator)

    def loss() -> float:
        with torch.no_grad():
            return (network(test.x, test.y) - test.y)[:, 1:].square().mean().item()

    before = loss()
    train(network, lambda batch: draw_prompts(batch, 4, 1, generator), Training(60, batch=32))
    assert loss() < 0.5 * min(before, 1.0)
