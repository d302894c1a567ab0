"""What is timed gives the numbers of the networks of snippets/icl, or of the plain formula."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from snippets.benchmarks.ours import ahn, edelman, garg, raventos, reddy, two_streams, von_oswald
from snippets.icl.networks.markov_network import MarkovNetwork
from snippets.icl.networks.regression_transformer import RegressionTransformer, Sizes
from snippets.icl.networks.two_layer import TwoLayerNetwork

SEEDS = st.integers(0, 2**31)
few = settings(max_examples=8)


def gradients(loss: torch.Tensor, weights) -> torch.Tensor:
    """All of them in one row; 0 for a weight that the loss does not read."""
    weights = list(weights)
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    return torch.cat([torch.zeros(w.numel()) if g is None else g.flatten() for g, w in zip(found, weights)])


def assert_same(one: torch.Tensor, other: torch.Tensor) -> None:
    """Equal to six digits of the largest number."""
    torch.testing.assert_close(one, other, rtol=0, atol=3e-6 * max(1.0, other.abs().max().item()))


@few
@given(SEEDS)
def test_the_query_alone_is_what_attention_of_all_tokens_says_of_it(seed):
    generator = Generator().manual_seed(seed)
    d, n, batch = von_oswald.D, von_oswald.N, 6
    weights = (0.3 * torch.randn(4, d + 1, d + 1, generator=generator)).requires_grad_()
    x, query = torch.randn(n, d, batch, generator=generator), torch.randn(d, batch, generator=generator)
    y = torch.randn(n, batch, generator=generator)
    ours = von_oswald.predict(weights, x, y, query)

    tokens = torch.cat([torch.cat([x, y[:, None]], 1), torch.cat([query, torch.zeros(1, batch)])[None]])
    tokens = tokens.permute(2, 0, 1)  # (batch, pos, d + 1)
    W_Q, W_K, W_V, W_P = weights
    examples = tokens[:, :-1]  # the query is attended to by nobody
    attention = (tokens @ W_Q) @ (examples @ W_K).mT
    whole = tokens + attention @ (examples @ W_V) @ W_P
    plain = -whole[:, -1, -1]
    assert_same(ours, plain)
    assert_same(gradients(ours.square().mean(), [weights]), gradients(plain.square().mean(), [weights]))


def test_its_prompts_are_linear_and_bounded():
    import numpy as np

    x, y, query, answer = von_oswald.draw(np.random.default_rng(0), 4000)
    assert x.abs().max() <= 0.5
    assert x.std().item() == pytest.approx(12**-0.5, rel=0.01)
    maps = torch.linalg.lstsq(x.permute(2, 0, 1), y.mT[..., None]).solution[..., 0]  # (batch, d)
    exact = ((maps * query.mT).sum(1) - answer).abs() < 1e-2
    assert exact.float().mean() > 0.97  # but for prompts whose x are nearly dependent


def test_a_layer_that_is_the_best_step_has_its_loss():
    trainer = von_oswald.trainer(0)
    d, v = von_oswald.D, 12**-1.0  # variance of a coordinate
    s = (von_oswald.N - 1) * v**2 + (1 / 80 + (d - 1) * v**2)  # the fourth moment of a uniform coordinate is 1 / 80
    rate = v / s
    W = torch.zeros(4, d + 1, d + 1)
    W[0].fill_diagonal_(1)
    W[1, :d, :d] = torch.eye(d)
    W[2].fill_diagonal_(1)
    W[3, -1, -1] = -rate
    trainer.weights.data = W
    assert 1 <= trainer.look() < 1.003


def test_a_gradient_is_clipped_to_its_length_before_adam():
    trainer = von_oswald.trainer(0)
    before = trainer.weights.detach().clone()
    trainer.step()
    first_moment = trainer.adam.state[trainer.weights]["exp_avg"]  # 0.1 of the gradient
    assert first_moment.norm().item() <= 0.1 * von_oswald.CLIP * 1.0001
    assert (trainer.weights - before).abs().max().item() == pytest.approx(von_oswald.RATE, rel=1e-2)


@few
@given(SEEDS, st.sampled_from([(1, 8, 1), (2, 16, 2), (3, 32, 4)]), st.integers(1, 7))
def test_two_streams_in_one_tensor_are_the_regression_transformer(seed, sizes, n):
    n_layers, width, n_heads = sizes
    generator = Generator().manual_seed(seed)
    network = RegressionTransformer(Sizes(3, n_layers, width, n_heads), generator)
    for bias in (w for w in network.parameters() if w.ndim == 1):  # those that start at 0 too
        bias.data.normal_(generator=generator)
    x, y = torch.randn(4, n, 3, generator=generator), torch.randn(4, n, generator=generator)
    ours, plain = two_streams.predict(network, x, y), network(x, y)
    assert_same(ours, plain)
    assert_same(gradients((ours - y).square().mean(), network.parameters()),
                gradients((plain - y).square().mean(), network.parameters()))  # fmt: skip


def test_a_gradient_in_pieces_is_that_of_the_whole():
    generator = Generator().manual_seed(0)
    network = RegressionTransformer(Sizes(3, 2, 16, 2), generator)
    x, y = torch.randn(5, 4, 3, generator=generator), torch.randn(5, 4, generator=generator)
    two_streams.backward(network, x, y, at_once=2)  # 2, 2 and 1: the last weighs less
    ours = torch.cat([w.grad.flatten() for w in network.parameters()])
    assert_same(ours, gradients((network(x, y) - y).square().mean(), network.parameters()))


def reddys(seed: int) -> tuple[TwoLayerNetwork, torch.Tensor, torch.Tensor]:
    generator = Generator().manual_seed(seed)
    width = reddy.SLOTS + reddy.DIMS
    network = TwoLayerNetwork(width, reddy.DIMS, reddy.LABELS, width, generator, biases=True)
    return network, *reddy.World(generator).draw(16, 0.5)


@few
@given(SEEDS)
def test_products_in_another_order_are_the_two_layer_network(seed):
    network, tokens, answer = reddys(seed)
    ours, (plain, _, _) = reddy.logits_of(network, tokens), network(tokens)
    assert_same(ours, plain)
    assert_same(gradients(F.cross_entropy(ours, answer), network.parameters()),
                gradients(F.cross_entropy(plain, answer), network.parameters()))  # fmt: skip


def test_sequences_show_the_targets_class_once_among_eight_labels():
    world = reddy.World(Generator().manual_seed(0))
    for novel in (0.0, 1.0):
        tokens, answer = world.draw(300, novel)
        place, contents = tokens[..., : reddy.SLOTS], tokens[..., reddy.SLOTS :]
        assert (place.sum(-1) == 1).all()
        assert (place.argmax(-1).diff(dim=1) == 1).all()
        labels = torch.cdist(contents[:, 1::2], world.label_vectors).argmin(-1)
        assert all(len(set(row.tolist())) == reddy.PAIRS for row in labels)
        nearest = torch.cdist(contents[:, -1:], contents[:, :-1:2])[:, 0].argmin(-1)
        right = labels.gather(1, nearest[:, None])[:, 0] == answer
        assert right.all()
        known = torch.cdist(contents[:, -1], world.means).min(-1).values < 0.5
        assert known.float().mean().item() == pytest.approx(1 - novel, abs=0.05)


def test_the_update_shrinks_by_the_decay_and_steps_by_the_rate():
    trainer = reddy.trainer(0, rate=0.1)
    network, world = trainer.network, trainer.world
    state, before = world.generator.get_state(), [w.detach().clone() for w in network.parameters()]
    tokens, answer = world.draw(reddy.BATCH, reddy.NOVEL)
    grads = torch.autograd.grad(F.cross_entropy(network(tokens)[0], answer), list(network.parameters()))
    world.generator.set_state(state)
    trainer.step()
    for w, old, g in zip(network.parameters(), before, grads):
        torch.testing.assert_close(w.detach(), (1 - reddy.DECAY) * old - 0.1 * g, rtol=1e-5, atol=1e-6)


@few
@given(SEEDS, st.integers(2, 11))
def test_the_first_layer_as_one_product_is_the_markov_network(seed, n):
    generator = Generator().manual_seed(seed)
    network = MarkovNetwork(3, 8, (1, 1), 12, generator)
    for numbers in network.by_distance:
        numbers.data.normal_(0, 2, generator=generator)
    tokens = torch.randint(3, (5, n + 1), generator=generator)
    ours, (plain, _) = edelman.predict(network, tokens[:, :-1]), network(tokens[:, :-1])
    assert_same(ours, plain)
    target = tokens[:, 1:].flatten()
    assert_same(gradients(F.cross_entropy(ours.flatten(0, 1), target), network.parameters()),
                gradients(F.cross_entropy(plain.flatten(0, 1), target), network.parameters()))  # fmt: skip


@few
@given(SEEDS)
def test_two_sums_are_what_three_layers_read_where_p_is_zero(seed):
    generator = Generator().manual_seed(seed)
    d, n, batch = ahn.D, ahn.N, 7
    Q = (0.3 * torch.randn(3, d, d, generator=generator)).requires_grad_()
    x, y = torch.randn(batch, n + 1, d, generator=generator), torch.randn(batch, n, generator=generator)
    answer = torch.randn(batch, generator=generator)
    ours = ahn.loss_of(Q, ahn.fold(x, y, answer))

    values = torch.cat([y, torch.zeros(batch, 1)], 1)  # of all tokens; the query's is 0
    for matrix in Q:
        attention = x @ matrix @ x[:, :-1].mT
        values = values + (attention @ values[:, :-1, None])[..., 0] / n
    plain = (values[:, -1] + answer).square().mean()
    assert_same(ours, plain)
    assert_same(gradients(ours, [Q]), gradients(plain, [Q]))


def test_prompts_stay_for_so_many_steps(monkeypatch):
    monkeypatch.setattr(ahn, "BATCH", 50)
    trainer = ahn.trainer(0)
    seen = []
    for _ in range(ahn.KEEP + 1):
        trainer.step()
        seen.append(trainer.prompts)
    assert all(prompts is seen[0] for prompts in seen[: ahn.KEEP])
    assert seen[-1] is not seen[0]


@pytest.mark.parametrize("side", [garg, raventos, edelman])
def test_a_step_changes_the_weights_and_a_seed_repeats_it(side, monkeypatch):
    monkeypatch.setattr(side, "BATCH", 4)
    if side is raventos:
        monkeypatch.setattr(raventos, "TASKS", 100)
    rows = []
    for seed in (0, 0, 1):
        trainer = side.trainer(seed)
        before = torch.cat([w.detach().flatten() for w in trainer.network.parameters()])
        for _ in range(2):  # a rate that warms up begins at 0
            trainer.step()
        rows.append(torch.cat([w.detach().flatten() for w in trainer.network.parameters()]))
        assert not torch.equal(before, rows[-1])
    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])
