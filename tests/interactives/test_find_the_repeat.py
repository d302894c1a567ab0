"""The rule in the browser: words, matches and guesses are Python's, and whatever is typed leaves it usable."""

import random
import re

import pytest
import torch

from snippets.icl.tasks.words import split
from snippets.icl.theory.copier import longest_match
from snippets.interactives import find_the_repeat as touched

pytestmark = pytest.mark.browser
DRAW = random.Random(0)
TEXTS = [
    *touched.data(None)["passages"].values(),
    *("".join(DRAW.choice("ab c_1\n.é🙂") for _ in range(60)) for _ in range(30)),
]


@pytest.fixture
def figure(mounted):
    return mounted("find_the_repeat", touched.data(None))


def counts(figure) -> list[int]:
    """Right guesses and guesses, as the line below the box says."""
    return [int(n) for n in re.findall(r"\d+", figure.note)[:2]]


def test_words_and_matches_are_those_of_python(figure):
    call = "(m, texts) => texts.map((text) => { const words = m.split(text); return [words, m.longestMatch(words)]; })"
    for text, (words, found) in zip(TEXTS, figure.compute("find_the_repeat", call, TEXTS), strict=True):
        assert words == split(text)
        if not words:
            continue
        place, agree = longest_match(torch.tensor([[sorted(set(words)).index(word) for word in words]]))
        assert (found["place"], found["agree"]) == (place[0].tolist(), agree[0].tolist())


def test_a_guess_is_the_word_after_the_match(figure):
    call = "(m, words) => m.guesses(words)"
    found = figure.compute("find_the_repeat", call, ["for", "name", "in", "names", ":", "for", "name", "in", "names"])
    assert [one["right"] for one in found] == [False] * 5 + [True, True, True]
    assert found[-1] == {"from": 3, "agree": 3, "right": True}
    assert figure.compute("find_the_repeat", call, []) == []


def test_it_says_how_many_words_the_rule_names(figure):
    right, of = counts(figure)
    words = split(touched.data(None)["passages"]["source code"])
    assert of == len(words) - 1 and 0.2 < right / of < 0.6
    figure.page.get_by_role("button", name="a novel").click()
    assert counts(figure)[0] / counts(figure)[1] < 0.1


def test_a_word_can_be_chosen_by_hand_and_by_key(figure):
    figure.page.locator("textarea").fill("one two three one two three")
    status = figure.page.locator("p[role=status]").last
    assert "3 words agree" not in status.inner_text() and "2 words agree" in status.inner_text()
    figure.page.locator(".touch-letter").nth(1).click()
    assert "is new here" in status.inner_text()
    figure.page.get_by_role("slider", name="word").focus()
    figure.page.keyboard.press("Home")
    assert "nothing stands before it" in status.inner_text()


def test_what_cannot_be_read_is_said_and_it_goes_on(figure):
    box = figure.page.locator("textarea")
    for text in ("", "   ", "one"):
        box.fill(text)
        assert figure.note == "Nothing to guess: type two words or more."
    box.fill("a b " * 300)
    assert "Only the first 400 words are read." in figure.note and counts(figure)[0] > 380
    box.fill("<b>a</b> <b>a</b>")
    assert figure.page.locator(".touch-letters b").count() == 0 and counts(figure)[0] > 0
    figure.not_a_number("word")
    box.fill("to be or not to be")
    assert counts(figure) == [1, 5]


def test_it_looks_right_everywhere(figure):
    assert figure.problems() == []


def test_passages_are_held_out_and_the_rest_is_an_error():
    from snippets.icl.tasks.real_text import corpus
    from snippets.icl.tasks.words import more_code

    kept = {one.name for one in (*corpus("novel"), *corpus("speeches"), *more_code()) if one.held_out}
    assert all(any(name.startswith(document) for name in kept) for document, _ in touched.PASSAGES.values())
    with pytest.raises(ValueError, match="no document 'chapter 0'"):
        touched.passage("chapter 0", "It")
    with pytest.raises(ValueError, match="'zzz' does not stand in chapter 15"):
        touched.passage("chapter 15", "zzz")
