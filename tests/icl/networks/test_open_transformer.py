"""The open transformer, and the vectors that are taken out of it and put into it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.networks.function_vectors import decodability, indirect_effects, matches, one_reads, task_means
from snippets.icl.networks.open_transformer import OpenTransformer, put_in, switched_off
from snippets.icl.tasks import clock


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(n_layers: int = 2) -> OpenTransformer:
    made = OpenTransformer(clock.N_TOKENS, 16, n_layers, 2, 20, stream())
    for numbers in made.by_distance:  # positions matter
        torch.nn.init.normal_(numbers, generator=stream(7))
    return made.requires_grad_(False)


def prompts(batch: int = 6, n: int = 3, seed: int = 0) -> torch.Tensor:
    hours = clock.other_hours(batch, n + 1, stream(seed))
    return clock.written(clock.random_maps(batch, stream(seed)), hours)[0]


def test_no_token_reads_a_later_one():
    tokens = prompts()
    other = tokens.clone()
    other[:, -1] = 0
    one, two = network()(tokens).logits, network()(other).logits
    torch.testing.assert_close(one[:, :-1], two[:, :-1])
    assert not torch.allclose(one[:, -1], two[:, -1])


def test_patterns_sum_to_one_and_heads_write_what_moves_the_state():
    net, tokens = network(), prompts()
    seen = net(tokens)
    assert len(seen.states) == 3 and len(seen.heads) == len(seen.patterns) == 2
    for layer, pattern in enumerate(seen.patterns):
        torch.testing.assert_close(pattern.sum(-1), torch.ones(pattern.shape[:-1]))
        written = net.written(layer, seen.heads[layer].transpose(1, 2)).sum(2)
        x = seen.states[layer] + written
        up = torch.nn.functional.rms_norm(x, x.shape[-1:]) @ net.W_up[layer]
        torch.testing.assert_close(x + up.relu() @ net.W_down[layer], seen.states[layer + 1])


@given(st.integers(0, 2))
def test_its_own_state_put_in_its_place_changes_nothing(layer):
    net, tokens = network(), prompts()
    seen = net(tokens)
    again = net(tokens, put_in(net, layer, seen.states[layer][:, -1]))
    torch.testing.assert_close(again.logits, seen.logits)
    torch.testing.assert_close(net(tokens, put_in(net, layer, torch.zeros(16), add=True)).logits, seen.logits)


def test_a_state_put_in_last_decides_alone():
    net, vector = network(), torch.randn(16, generator=stream(1))
    answers = net(prompts(), put_in(net, 2, vector)).logits[:, -1]
    torch.testing.assert_close(answers, answers[:1].expand_as(answers))
    moved = net(prompts(), put_in(net, 1, vector, add=True))
    torch.testing.assert_close(moved.states[1][:, -1] - network()(prompts()).states[1][:, -1], vector.expand(6, 16))


def test_heads_are_switched_off_one_by_one():
    net, tokens = network(), prompts()
    seen = net(tokens)
    means = [read.mean((0, 2)) for read in seen.heads]
    off = net(tokens, at_heads=switched_off(net, [(1, 0)], means))
    torch.testing.assert_close(off.heads[1][:, 0], means[1][0].expand_as(off.heads[1][:, 0]))
    torch.testing.assert_close(off.heads[1][:, 1], seen.heads[1][:, 1])
    torch.testing.assert_close(off.heads[0], seen.heads[0])
    assert not torch.allclose(off.logits, seen.logits)
    torch.testing.assert_close(net(tokens, at_heads=switched_off(net, [], means)).logits, seen.logits)


def test_means_are_those_of_the_last_token_less_those_without_examples():
    net, tokens = network(), prompts(8)
    task, without = torch.tensor([0, 1] * 4), prompts(5, n=0, seed=3)
    means, seen, bare = task_means(net, tokens, task, without), net(tokens), net(without)
    for k in range(2):
        torch.testing.assert_close(means.state[k, 1], seen.states[1][k::2, -1].mean(0))
        gained = net.written(1, seen.heads[1][k::2, :, -1].mean(0)) - net.written(1, bare.heads[1][:, :, -1]).mean(0)
        torch.testing.assert_close(means.gained[k, 1], gained, atol=1e-6, rtol=1e-4)


def test_a_head_that_reads_what_it_read_has_no_effect():
    net, tokens = network(), prompts()
    task, answer, seen = torch.arange(6), torch.arange(6), net(tokens)
    own = task_means(net, tokens, task, prompts(5, n=0))
    effects = indirect_effects(net, own, tokens, task, answer)
    torch.testing.assert_close(effects, torch.zeros(2, 2), atol=1e-6, rtol=0)
    away = own._replace(read=[read + 3 for read in own.read])
    assert (indirect_effects(net, away, tokens, task, answer).abs() > 1e-5).any()
    changed = net(tokens, at_heads=one_reads(0, 1, torch.zeros(6, 8)))
    assert (changed.heads[0][:, 1, -1] == 0).all()
    torch.testing.assert_close(changed.heads[0][:, 1, :-1], seen.heads[0][:, 1, :-1])


def test_a_match_is_the_answer_behind_the_same_hour():
    net = network()
    tokens = torch.tensor([[3, 12, 4, 9, 12, 3, 3, 12]])  # 3 is an hour at 0, an answer at 5
    found = matches(net, tokens)
    expected = torch.stack([pattern[0, :, -1, 2] for pattern in net(tokens).patterns])
    torch.testing.assert_close(found, expected)
    assert (matches(net, torch.tensor([[5, 12, 4, 9, 12, 3, 3, 12]])) == 0).all()


def test_clusters_are_told_apart_and_noise_is_not():
    task = torch.arange(3).repeat_interleave(30)
    noise = torch.randn(90, 4, generator=stream())
    assert decodability(10 * torch.eye(4)[task] + 0.1 * noise, task) == 1
    assert decodability(noise, task) < 0.6


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda net: put_in(net, 3, torch.zeros(16)), "no layer 3: give 0 to 2"),
        (lambda net: put_in(net, -1, torch.zeros(16)), "no layer -1"),
        (lambda net: switched_off(net, [(0, 2)], []), "no head 2: a layer has heads 0 to 1"),
        (lambda net: switched_off(net, [(2, 0)], []), "no layer 2: give 0 to 1"),
        (lambda net: net(torch.zeros(1, 0).long()), "empty"),
        (lambda net: net(torch.zeros(1, 21).long()), "longer than"),
        (lambda net: net(torch.tensor([[13]])), "knows 0 to 12"),
        (lambda net: task_means(net, prompts(), torch.zeros(0).long(), prompts()), "pool of tasks"),
        (lambda net: task_means(net, prompts(), torch.tensor([0, 0, 0, 2, 2, 2]), prompts()), "no prompt for one"),
        (lambda net: decodability(torch.zeros(5, 2), torch.zeros(5).long(), 5), "5 neighbours of 5"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call(network())
