"""Prompts of item-label pairs: what is shown and asked, what a network gets to see, and what is refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.tasks.symbols import Prompt, Vocabulary, ask, choose, new_tasks, pick, points, show, shuffled


def made(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def reader(tokens: torch.Tensor, may_read: torch.Tensor) -> torch.Tensor:
    """A network built by hand: it answers with the label of the pair whose item is most like the query's."""
    d = tokens.shape[2] // 2
    item, label = tokens[..., :d], tokens[..., d:]
    scores = 200 * (torch.nn.functional.normalize(item, dim=-1) @ torch.nn.functional.normalize(item, dim=-1).mT)
    scores = scores.masked_fill(~may_read, -torch.inf)
    scores.diagonal(dim1=1, dim2=2).fill_(-torch.inf)  # not itself
    return scores.softmax(-1) @ label


@given(st.integers(0, 10**6), st.integers(2, 8), st.sampled_from([0.0, 1.0]))
def test_a_perfect_reader_is_right_on_what_is_shown(seed, n_pairs, shown):
    g = made(seed)
    words = Vocabulary(points(10, 32, g), points(20, 32, g))
    order = shuffled(10, 4, g)
    items, queries = pick(order, n_pairs, 3, shown, g)
    assert (items.sort(1).values.diff(dim=1) > 0).all(), "no item stands twice in a prompt"
    assert ((queries[:, :, None] == items[:, None]).any(-1) == bool(shown)).all()
    tasks = new_tasks(4, 10, 20, g)
    prompt, answers = show(tasks, items, queries)
    for row in range(4):
        assert prompt.labels[row].tolist() == [int(tasks[row, i]) for i in items[row]]
        assert answers[row].tolist() == [int(tasks[row, i]) for i in queries[row]]
    if shown:
        assert torch.equal(ask(reader, words, prompt).argmax(-1), answers)


def test_queries_are_asked_each_by_itself():
    """Neither the pairs nor another query may read a query; a query reads the pairs and itself."""
    masks = []

    def spy(tokens, may_read):
        masks.append(may_read)
        return torch.zeros(tokens.shape[0], tokens.shape[1], 4)

    g = made()
    words = Vocabulary(points(6, 4, g), points(5, 4, g))
    prompt = Prompt(torch.tensor([[0, 1]]), torch.tensor([[2, 3]]), torch.tensor([[4, 5]]))
    assert ask(spy, words, prompt).shape == (1, 2, 5)
    assert masks[0].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 0, 1]]


def test_without_pairs_only_the_query_is_read():
    g = made()
    words = Vocabulary(points(6, 4, g), points(5, 4, g))
    none = torch.zeros(1, 0, dtype=torch.long)
    seen = ask(lambda tokens, may_read: tokens[..., :4], words, Prompt(none, none, torch.tensor([[3]])))
    assert torch.allclose(seen[0, 0], words.labels @ words.items[3] * 2)


def test_tasks_are_even_and_chosen_from_those_given():
    g = made()
    tasks = new_tasks(3, 5, 4, g)
    chosen = choose(tasks, 200, g)
    assert {tuple(row) for row in chosen.tolist()} == {tuple(row) for row in tasks.tolist()}
    counts = new_tasks(2000, 5, 4, g).flatten().bincount(minlength=4)
    assert (counts.float() / 10000 - 0.25).abs().max() < 0.02


def test_clear_errors():
    g = made()
    words = Vocabulary(points(6, 4, g), points(5, 4, g))
    one, none = torch.tensor([[1]]), torch.zeros(1, 0, dtype=torch.long)

    def asked(items, labels, queries):
        return ask(reader, words, Prompt(items, labels, queries))

    with pytest.raises(ValueError, match="prompt is empty: give it at least one item"):
        asked(one, one, none)
    with pytest.raises(ValueError, match="unknown item 6: this vocabulary has items 0 to 5"):
        asked(one, one, torch.tensor([[6]]))
    with pytest.raises(ValueError, match="unknown item -1"):
        asked(-one, one, one)
    with pytest.raises(ValueError, match="unknown label 5: this vocabulary has labels 0 to 4"):
        asked(one, 5 * one, one)
    for n_pairs in (0, 6):
        with pytest.raises(ValueError, match=f"n_pairs = {n_pairs} of 6 items"):
            pick(shuffled(6, 2, g), n_pairs, 1, 1.0, g)
