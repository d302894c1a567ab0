"""Documents and prompts of the small GINC."""

import dataclasses

import pytest
import torch

from snippets.icl.tasks.concepts import Ginc, World, walk


@pytest.fixture(scope="module")
def world() -> World:
    return World(Ginc(), torch.Generator().manual_seed(0))


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_rows_are_probabilities_and_concepts_differ(world):
    for mixture in (world.seen, world.unseen):
        torch.testing.assert_close(mixture.move.sum(-1), torch.ones(20, 24).double())
    assert (world.seen.move - world.unseen.move).abs().amax((1, 2)).min() > 0.01
    assert (world.memory[:, 0] == 0).all() and (world.memory[:, 1:] > 0).all()


def test_walks_follow_their_concept(world):
    concept = torch.full((20_000,), 3)
    state, _ = walk(world.seen, concept, torch.full((20_000,), 8), 2, generator())
    share = state[:, 1].bincount(minlength=24) / 20_000
    torch.testing.assert_close(share.double(), world.seen.move[3, 8], atol=0.015, rtol=0)


def test_entities_rarely_change(world):
    concept, start = torch.randint(20, (2, 5000), generator=generator())
    state, _ = walk(world.seen, concept, start, 2, generator())
    stays = (state[:, 0] // 6 == state[:, 1] // 6).double().mean()
    assert 0.88 < stays < 1


@pytest.mark.parametrize(("shots", "k"), [(0, 3), (2, 5), (8, 3)])
def test_prompts_are_laid_out(world, shots, k):
    prompt, label = world.prompts(world.seen, 64, shots, k, generator())
    assert prompt.shape == (64, shots * (k + 1) + k - 1)
    assert (prompt[:, k :: k + 1] == 0).all(), "a delimiter behind each example"
    assert ((label >= 0) & (label < 9)).all()


def test_delimiters_tell_nothing_of_the_concept(world):
    for mixture in (world.seen, world.unseen):
        to, back = mixture.move[:, :, ::6].sum(-1), mixture.move[:, ::6]
        torch.testing.assert_close(to, torch.where(torch.arange(24) % 6 > 0, 0.2, 0.0).double().expand(20, 24))
        torch.testing.assert_close(back, back[:1].expand_as(back))


def test_no_delimiter_inside_an_example(world):
    prompt, _ = world.prompts(world.seen, 300, 2, 4, generator())
    inside = prompt[:, torch.arange(prompt.shape[1]) % 5 < 4]
    assert (inside > 0).all()


def test_the_label_is_the_likeliest(world):
    """With one entity and a chain that always steps on, the answer is the next property's token."""
    one = World(Ginc(n_entities=1, n_tokens=99, n_permutations=1, stays=1.0), generator(3))
    prompt, label = one.prompts(one.seen, 200, 1, 3, generator())
    chain = one.seen.move[0].argmax(1)  # one permutation: the same for all concepts
    state = (one.memory[0] == prompt[:, -1:]).double().argmax(1)
    distinct = torch.isin(prompt[:, -1], one.memory[0]) & (one.memory[0].unique().numel() == 6)
    assert distinct.all() and torch.equal(label, one.memory[0][chain[state]])


def test_bad_input_is_named(world):
    for field, value, words in (
        ("stays", 1.5, "no probability"),
        ("ends", -0.1, "no probability"),
        ("n_properties", 2, "at least 3"),
    ):
        with pytest.raises(ValueError, match=words):
            World(dataclasses.replace(Ginc(), **{field: value}), generator())
    with pytest.raises(ValueError, match="of at least 2"):
        world.prompts(world.seen, 4, 1, 1, generator())
