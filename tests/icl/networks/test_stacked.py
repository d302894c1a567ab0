"""Stacks of linear attention: the folded walk is the network with tokens, and layers can be refined and reordered."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from snippets.icl.networks import folded
from snippets.icl.networks.simple_transformer import SimpleTransformer, one_step
from snippets.icl.networks.stacked import Stack, refined, repeated, swapped, walk
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory import oracles

DOUBLE = torch.float64


def random_layers(n_layers: int, d: int, seed: int, size: float = 0.3) -> list:
    g = torch.Generator().manual_seed(seed)
    return [tuple(size * torch.randn(2, d + 1, d + 1, generator=g, dtype=DOUBLE)) for _ in range(n_layers)]


def prompts_of(n: int = 6, d: int = 3, seed: int = 0):
    return draw_prompts(5, n, d, torch.Generator().manual_seed(seed), dtype=DOUBLE)


@settings(max_examples=25)
@given(some.integers(1, 4), some.integers(1, 4), some.integers(1, 7), some.integers(0, 99))
def test_the_walk_is_the_network_with_tokens(n_layers, d, n, seed):
    prompts, layers = prompts_of(n, d, seed), random_layers(n_layers, d, seed)
    answers = walk(folded.fold(prompts.tokens()), layers)
    for depth in range(1, n_layers + 1):
        network = SimpleTransformer(depth, d, torch.Generator()).double()
        for number, (V, W) in enumerate(layers[:depth]):
            network.set_layer(number, V, W, torch.eye(d + 1, dtype=DOUBLE))
        torch.testing.assert_close(answers[depth], network(prompts.tokens()), rtol=1e-9, atol=1e-9)
    assert (answers[0] == 0).all()


def test_a_shorter_step_is_the_damped_layer():
    there = folded.fold(prompts_of().tokens())
    layers = random_layers(2, 3, 5)
    answers = walk(there, layers, step=0.4)
    for number, (V, W) in enumerate(layers):
        there = folded.layer(there, V, W, damping=0.4)
        torch.testing.assert_close(answers[number + 1], there.prediction)


def test_constructed_layers_are_steps_and_may_be_swapped():
    prompts, sizes = prompts_of(), (0.2, 0.7, 0.4)
    built = []
    for size in sizes:
        V, Q, K = one_step(torch.eye(3, dtype=DOUBLE), size)
        built.append((V, K.mT @ Q))
    path = oracles.descend(prompts.x[:, :-1], prompts.y[:, :-1], [s * torch.eye(3, dtype=DOUBLE) for s in sizes])
    answers = walk(folded.fold(prompts.tokens()), built)
    torch.testing.assert_close(answers, (path * prompts.x[:, -1]).sum(-1), rtol=0, atol=1e-10)
    other = walk(folded.fold(prompts.tokens()), swapped(built, 0, 2))
    torch.testing.assert_close(other[-1], answers[-1], rtol=0, atol=1e-10)
    assert (other[1] - answers[1]).abs().max() > 0.01


def test_layers_of_any_kind_may_not():
    prompts, layers = folded.fold(prompts_of().tokens()), random_layers(3, 3, 1, 0.5)
    assert (walk(prompts, swapped(layers, 0, 1))[-1] - walk(prompts, layers)[-1]).abs().max() > 1e-3


def test_refined_layers_keep_the_ends_and_move_in_a_straight_line():
    layers = random_layers(2, 2, 3)
    fine = refined(layers, 4)
    assert len(fine) == 8
    torch.testing.assert_close(fine[0][0], layers[0][0])
    torch.testing.assert_close(fine[2][1], (layers[0][1] + layers[1][1]) / 2)
    torch.testing.assert_close(fine[4][0], layers[1][0])
    torch.testing.assert_close(fine[7][0], layers[1][0])
    torch.testing.assert_close(walk(folded.fold(prompts_of(d=2).tokens()), refined(layers, 1))[-1],
                               walk(folded.fold(prompts_of(d=2).tokens()), layers)[-1])  # fmt: skip


def test_repeated_and_looped():
    layers = random_layers(3, 2, 4)
    again = repeated(layers, 1)
    assert [id(layer) for layer in again] == [id(layers[i]) for i in (0, 1, 1, 2)]
    stack = Stack(3, 2, torch.Generator().manual_seed(0), looped=True)
    assert len(stack.layers()) == 3 and stack.W_V.shape[0] == 1
    assert len(Stack(3, 2, torch.Generator().manual_seed(0)).layers()) == 3


def test_bad_input():
    prompts = folded.fold(prompts_of(d=3).tokens())
    with pytest.raises(ValueError, match="0 layers"):
        Stack(0, 3, torch.Generator())
    with pytest.raises(ValueError, match="0 layers"):
        walk(prompts, [])
    with pytest.raises(ValueError, match="give both the same d"):
        walk(prompts, random_layers(1, 2, 0))
    with pytest.raises(ValueError, match="0 parts"):
        refined(random_layers(1, 2, 0), 0)
    with pytest.raises(ValueError, match="0 examples"):
        folded.fold(torch.zeros(2, 1, 4))
