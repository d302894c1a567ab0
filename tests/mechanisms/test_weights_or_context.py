"""Weights or context: the training and test prompts, networks made by hand, claims, a short run."""

import numpy as np
import pytest
import torch

from snippets.icl.tasks.symbols import Vocabulary, ask
from snippets.mechanisms import weights_or_context as experiment
from snippets.mechanisms.weights_or_context import Config, World

SMALL = Config(
    new_share=0.5, n_items=12, n_labels=6, d=24, n_pairs=4, n_queries=3, d_model=8, batch=8, n_steps=2, n_test=16
)


def made(**changes) -> World:
    config = Config(**{**vars(SMALL), **changes})
    return World(config, torch.Generator().manual_seed(3), torch.Generator().manual_seed(4))


class Reads:
    """Answers with the label of the pair whose item is that of the query, or with nothing."""

    def __call__(self, tokens, may_read):
        d = tokens.shape[2] // 2
        item, label = tokens[..., :d], tokens[..., d:]
        same = torch.cdist(item, item) < 1e-4
        same.diagonal(dim1=1, dim2=2).fill_(False)
        return (same & may_read).float() @ label


class Remembers:
    """Answers with an item's usual label, whatever the prompt says."""

    def __init__(self, world: World) -> None:
        self.items, self.usual = world.items, world.labels[world.usual[0]]

    def __call__(self, tokens, may_read):
        item = tokens[..., : tokens.shape[2] // 2]
        return (torch.cdist(item, self.items.expand(len(item), -1, -1)) < 1e-4).float() @ self.usual


def test_training_prompts_never_contradict_the_weights():
    world = made()
    words, prompt, answer = world.training_prompts()
    assert words.items.shape == (24, 24) and torch.equal(words.items[:12], world.items)
    known = prompt.items < 12
    assert known.all(1).sum() == 4 and (~known).all(1).sum() == 4, "half of the prompts are of new items"
    assert torch.equal(prompt.labels[known], world.usual[0][prompt.items[known]])
    asked = prompt.queries < 12
    assert torch.equal(answer[asked], world.usual[0][prompt.queries[asked]])
    shown = (prompt.queries[:, :, None] == prompt.items[:, None]).any(-1)
    assert shown[~known.all(1)].all(), "of new items only the prompt can tell"
    where = (prompt.queries[:, :, None] == prompt.items[:, None]).int().argmax(-1)
    assert torch.equal(prompt.labels.gather(1, where)[shown], answer[shown])


@pytest.mark.parametrize("share, n_new", [(0.0, 0), (1.0, 8)])
def test_the_share_of_new_prompts(share, n_new):
    _, prompt, _ = made(new_share=share).training_prompts()
    assert int((prompt.items >= 12).all(1).sum()) == n_new


def test_flipped_prompts_say_something_else():
    world = made()
    prompt, usual = world.test_prompts(shown=True)
    everything, says = world.flipped(prompt, usual, all_pairs=True)
    assert (everything.labels != prompt.labels).all() and (says != usual).all()
    own, says = world.flipped(prompt, usual, all_pairs=False)
    changed = own.labels != prompt.labels
    assert torch.equal(changed, prompt.items == prompt.queries)
    assert torch.equal(own.labels[changed], says[:, 0])


def test_unseen_vocabularies():
    world = made()
    both, first = world.unseen(items=True, labels=True)
    assert first == 6 and both.labels.shape == (12, 24) and torch.equal(both.labels[:6], world.labels)
    assert not torch.allclose(both.items, world.items)
    same, first = world.unseen(items=False, labels=False)
    assert first == 0 and torch.equal(same.items, world.items) and torch.equal(same.labels, world.labels)


def test_a_reader_and_a_rememberer_get_the_marks_they_deserve():
    world = made(n_test=64)

    def marks(network):
        words = Vocabulary(world.items, world.labels)
        prompt, usual = world.test_prompts(shown=True)
        says_prompt, says = world.flipped(prompt, usual, all_pairs=True)
        logits = ask(network, words, says_prompt)
        return experiment.share(logits, says), experiment.share(logits, usual)

    assert marks(Reads()) == (1, 0)
    assert marks(Remembers(world)) == (0, 1)


GOOD = {
    "weights": {"flipped_memory": 1.0},
    "context": {"flipped_prompt": 1.0, "silent_memory": 0.03},
    "both": {
        "flipped_prompt": 0.98,
        "silent_memory": 1.0,
        "silent_flipped": 0.98,
        "lie_prompt": 0.97,
        "new_items": 1.0,
        "all_new": 0.7,
    },
}


def test_each_claim_can_fail_and_can_hold():
    bad = {cell: {name: 0.2 for name in values} for cell, values in GOOD.items()}
    for claim in experiment.CLAIMS:
        assert claim.holds(claim.value(GOOD)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (experiment.run(SMALL, seed) for seed in (5, 5, 6))
    for name, value in one.items():
        assert np.isfinite(value) and value == two[name], name
    assert any(one[name] != other[name] for name in one)
