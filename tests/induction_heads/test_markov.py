"""What the three experiments of the chapter *Statistical induction heads* derive from measurements.

Nothing is trained."""

import numpy as np
import pytest
import torch
from scipy.stats import dirichlet

from snippets.icl.networks.disentangled import Disentangled
from snippets.icl.tasks import markov as chains
from snippets.induction_heads import causal_graph, markov, markov_trigram

SMALL = causal_graph.Config(n_tokens=7, n_test=50)


# the chain experiment


def made_up(loss: list[float], divergence: list[list[float]] | None = None) -> dict:
    n = len(loss)
    return {
        "step": np.arange(n) * 25,
        "loss": np.array(loss),
        "lines": np.array([1.1, 1.0, 0.9, 0.8]),
        "divergence": np.array(divergence or [[0.0, 1.0, 1.0]] * n),
    }


def test_way_down_and_steps():
    m = made_up([1.2, 1.0, 0.97, 0.95, 0.93, 0.91])
    assert markov.way_down(m).tolist() == pytest.approx([-2, 0, 0.3, 0.5, 0.7, 0.9])
    assert markov.step_at(m, 0.2) == 50
    assert markov.fall_to_wait(m) == pytest.approx((100 - 50) / 50)
    assert markov.fall_to_wait(made_up([1.2, 1.0, 1.0])) == np.inf


def test_plateau_is_the_better_of_two():
    m = made_up([1.05])
    m["lines"] = np.array([1.1, 1.2, 0.9, 0.8])  # as on doubly stochastic chains: unigram is worse than uniform
    assert markov.way_down(m).tolist() == pytest.approx([0.25])


def both(loss: list[float], doubly: list[float]) -> dict:
    m, other = made_up(loss), made_up(doubly)
    return m | {f"doubly_{name}": other[name] for name in ("step", "lines", "loss")}


def claim(experiment, name):
    return next(c for c in experiment.CLAIMS if c.id == name)


def test_delay_when_a_fall_never_comes():
    doubly = claim(markov, "doubly")
    later, sooner = both([1.0, 0.9], [1.0, 1.0]), both([1.0, 1.0], [1.0, 0.9])
    assert doubly.applies(later) and doubly.holds(doubly.value(later))  # it never comes: no earlier
    assert doubly.applies(sooner) and not doubly.holds(doubly.value(sooner))
    assert not doubly.applies(both([1.0, 1.0], [1.0, 1.0]))  # neither falls: nothing to compare


@pytest.mark.parametrize(
    ("nearest", "expected"), [([0, 0, 1, 1, 2], 3), ([0, 1, 0, 1, 2], 3), ([0, 0, 2, 2, 1], 2), ([0, 0, 0, 0, 0], 1)]
)
def test_stages_in_order(nearest, expected):
    divergence = [[0.0 if j == i else 1.0 for j in range(3)] for i in nearest]
    m = made_up([1.0] * len(nearest), divergence)
    assert markov.nearest(m["divergence"]).tolist() == nearest
    assert markov.stages_in_order(m) == expected


def test_levels_agree_with_the_strategies_one_by_one():
    config = markov.Config(length=20, n_exact=1000)
    levels = markov.exact_levels(chains.dirichlet_chains, config, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(0)
    table = chains.dirichlet_chains(1000, 3, generator)
    tokens = chains.sample(table, 20, generator)
    truth = chains.oracle(tokens, table).double()
    for level, guess in zip(
        levels, (chains.uniform(tokens, 3), *(chains.counting(tokens, 3, o) for o in (0, 1)), truth)
    ):
        expected = -(truth * guess.double().log()).sum(-1).mean()
        assert float(level) == pytest.approx(float(expected), abs=1e-4)
    assert levels.tolist() == sorted(levels.tolist(), reverse=True)


def test_even_shares():
    assert markov.uniform_attention_back(4) == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)


# triples


def test_stairs():
    m = {"step": np.arange(5) * 10, "divergence": np.eye(4)[[0, 1, 2, 3, 3]] * -1.0}
    assert markov_trigram.stairs_in_order(m) == 3
    assert [markov_trigram.first_nearest(m, name) for name in markov_trigram.STRATEGIES] == [0, 10, 20, 30]
    assert markov_trigram.bigram_to_unigram_stair(m) == 1
    skipped = m | {"divergence": np.eye(4)[[0, 1, 1, 3, 3]] * -1.0}
    assert markov_trigram.stairs_in_order(skipped) == 2
    never = m | {"divergence": np.eye(4)[[0, 1, 1, 1, 1]] * -1.0}  # no bigram, no trigram: no stairs to compare
    short = claim(markov_trigram, "short-stair")
    assert short.applies(m) and not short.applies(skipped) and not short.applies(never)


def test_heads_by_distance():
    back = np.zeros((2, 6))
    back[0, 2], back[1, 1], back[1, 2] = 0.6, 0.7, 0.9
    assert markov_trigram.heads_by_distance({"back": back}) == 0.6  # whichever head is listed first
    back[0, 2] = 0.0  # one head alone cannot do both
    assert markov_trigram.heads_by_distance({"back": back}) == 0


# the graph


def test_graph_points_backwards():
    parents = [causal_graph.random_graph(9, np.random.default_rng(seed)) for seed in range(200)]
    assert all(-1 <= p < i for graph in parents for i, p in enumerate(graph))
    last = np.array([graph[-1] for graph in parents])
    assert set(last) == set(range(-1, 7)) and len(parents[0]) == 8


GRAPH = [-1, 0, 0, 1, -1, 3]


def sampled(n: int) -> causal_graph.Batch:
    return causal_graph.sample(SMALL, GRAPH, n, np.random.default_rng(3))


def test_sequences_follow_the_graph():
    """Each pair of child and parent, over many sequences, against the chance that the rows give it."""
    batch = sampled(20_000)
    assert batch.tokens.shape == (20_000, 7) and torch.allclose(batch.truth.sum(1), torch.ones(20_000))
    for child, parent in enumerate(GRAPH):
        if parent >= 0:  # children like their parent's row: P(same row twice) beats independence
            alike = batch.tokens[:, parent] == batch.tokens[:, -1]
            agree = batch.truth[torch.arange(20_000), batch.tokens[:, child]]
            assert agree[alike].mean() > 0.75 > 0.5 > agree[~alike].mean()


def test_bayes_by_weighing_the_prior():
    """Chains from the prior, weighted by how likely they make the tokens: no counting."""
    graph, k, concentration = [-1, 0, 0, 1, 2, 0], 3, 0.7
    tokens = torch.tensor([[0, 1, 1, 2, 2, 0, 1]])
    prior = dirichlet([concentration] * k).rvs(200_000 * k, random_state=0).reshape(-1, k, k)
    x = tokens[0].tolist()
    weight = np.prod([prior[:, x[p], x[c]] for c, p in enumerate(graph) if p >= 0], 0)
    expected = (weight[:, None] * prior[:, x[-1]]).sum(0) / weight.sum()
    found = causal_graph.bayes(tokens, graph, k, concentration)[0]
    assert found.tolist() == pytest.approx(expected.tolist(), abs=0.01)


def test_weights_set_by_hand_are_read_back():
    """Put the graph into A1 and the identity into A2: the measures find both."""
    network = Disentangled(SMALL.k, SMALL.n_tokens)
    asks, compares, _ = network.blocks()
    with torch.no_grad():
        for child, parent in enumerate(GRAPH):
            asks[child, parent if parent >= 0 else child] = 50.0
        compares.copy_(50 * torch.eye(SMALL.k))
    assert causal_graph.content_match(network) == pytest.approx(1)
    _, first = network(sampled(200).tokens)
    children = [(c, p) for c, p in enumerate(GRAPH) if p >= 0]
    assert all(first[:, c, p].min() > 0.99 for c, p in children)
    m = {"parent": np.array(GRAPH), "first_layer": first.mean(0).detach().numpy()[None]}
    assert causal_graph.recovered(m, m["first_layer"][0]) == 1
    assert causal_graph.on_parents(m, 0) > 0.99


def test_at_zero_only_W_has_a_gradient():
    """Which is why the three matrices grow one after the other."""
    batch = sampled(200)
    network = Disentangled(SMALL.k, SMALL.n_tokens)
    torch.nn.functional.cross_entropy(network(batch.tokens)[0], batch.truth).backward()
    assert network.A1.grad.abs().max() == 0 and network.A2.grad.abs().max() == 0
    assert network.W.grad.abs().max() > 0


def test_the_gradient_at_the_start_points_to_parents():
    network = Disentangled(SMALL.k, SMALL.n_tokens)
    gradient = causal_graph.gradient_at_start(network, sampled(8000)).numpy()
    assert causal_graph.recovered({"parent": np.array(GRAPH)}, gradient) == 1
    assert np.abs(gradient.sum(1)).max() < 1e-4  # softmax: what one token gains the others lose


def test_gaps_pair_loss_and_graph():
    """Of two networks the one with the graph is nearer to the Bayes line: the other's gap is four times as large."""
    with_graph = np.eye(2)[[0, 0]]
    m = {
        "bayes": 0.5, "uniform": 1.0, "parent": np.array([-1, 0]),
        "losses": np.array([[1.0, 0.55], [1.0, 0.7]]), "first_layer": np.stack([with_graph, np.eye(2)]),
    }  # fmt: skip
    assert causal_graph.gaps(m).tolist() == pytest.approx([0.1, 0.4])
    assert causal_graph.with_and_without(m) == pytest.approx(4)


def test_grown_apart():
    sizes = np.zeros((30, 3))
    for index, start in enumerate((20, 12, 3)):  # A1, A2, W
        sizes[start:, index] = 1
    assert causal_graph.grown_apart({"sizes": sizes}) == 8
