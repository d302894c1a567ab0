"""The explorer: its network is that of Python, on any letters, and it takes whatever is typed."""

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from snippets.icl.networks.small_transformer import SmallTransformer
from snippets.icl.streams import streams
from snippets.induction_heads import letters
from snippets.interactives import attention_explorer as explorer

pytestmark = [pytest.mark.results, pytest.mark.browser]

TEXTS = ["q", "aaaa", "questionxbkwquestion", "hi zorblax how is zorbl", "the cat " * 8]


@pytest.fixture(scope="module")
def data(data_of):
    return data_of("attention_explorer")


@pytest.fixture
def figure(mounted, data):
    return mounted("attention_explorer", data)


def in_python(data) -> SmallTransformer:
    """The network whose weights the figure is given."""
    import base64

    d, positions = data["weights"]["W_E"]["shape"][1], data["positions"]
    network = SmallTransformer(2, len(data["alphabet"]), positions, d, data["heads"], streams(0, 1)[0])
    for name, value in network.named_parameters():
        told = data["weights"][name.replace(".", "_")]
        half = np.frombuffer(base64.b64decode(told["half"]), "<f2").astype(np.float32)
        value.data = torch.from_numpy(half).reshape(told["shape"])
    return network


def test_the_alphabet_is_that_of_the_experiment(data):
    assert explorer.ALPHABET == letters.ALPHABET == data["alphabet"]
    assert data["positions"] == letters.PRESETS["laptop"].n_tokens
    assert sum(np.prod(told["shape"]) for told in data["weights"].values()) > 9000


@pytest.mark.parametrize("text", TEXTS)
def test_its_network_is_that_of_python(figure, data, text):
    tokens = [data["alphabet"].index(letter) for letter in text][: data["positions"]]
    script = "(m, { data, tokens }) => m.infer(m.read(data), tokens)"
    found = figure.compute("letters_network", script, {"data": data, "tokens": tokens})
    with torch.no_grad():
        logits, patterns = in_python(data)(torch.tensor([tokens]))
    np.testing.assert_allclose(found["logits"], logits[0].numpy(), atol=1e-4)
    for layer, pattern in enumerate(patterns):
        for head in range(data["heads"]):
            rows = [row + [0.0] * (len(tokens) - len(row)) for row in found["patterns"][layer][head]]
            np.testing.assert_allclose(rows, pattern[0, head].numpy(), atol=1e-4)


def test_16_bits_are_read_as_numpy_reads_them(figure):
    import base64

    values = np.array([0, 1, -2.5, 6.1e-5, 5.96e-8, 65504, -0.333], dtype="<f2")
    text = base64.b64encode(values.tobytes()).decode()
    assert figure.compute("letters_network", "(m, text) => [...m.fromHalf(text)]", text) == values.tolist()


def test_a_repeated_word_is_completed_and_the_induction_head_shows_why(figure):
    expect(figure.page.locator(".touch-next li").first).to_contain_text("x")  # questionxbkwquestion: x comes
    seen = [head.get_attribute("aria-label") or "" for head in figure.page.locator(".touch-head [role=img]").all()]
    induction = [words for words in seen if ": induction:" in words]
    assert induction and any("attends most to token 9, x" in words for words in induction)
    assert "names" in figure.note and figure.page.locator(".touch-letter.foreseen").count() >= 4


def test_a_token_is_chosen_by_tap_and_by_key(figure):
    slider = figure.page.get_by_role("slider", name="token")
    figure.page.locator(".touch-letters[aria-hidden] .touch-letter").nth(2).click()
    assert slider.get_attribute("aria-valuetext") == "3: e"
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "4: s"
    expect(figure.page.locator(".touch-title").first).to_contain_text("After token 4, s")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Nothing to read"),
        ("123 !?", "No pair of letters"),
        ("ß", "Nothing to read"),
        ("Ünder 42 ünder", "Left out: ü 4 2"),
        ("NaN", "No pair of letters"),
        ("ab" * 200, "336 more are left out"),
        ("<b>bold</b><b>bold</b>", "Left out: < > /"),
        ("a\u0000b\ud83d\ude00a", "Left out"),
    ],
)
def test_whatever_is_typed_is_answered_and_it_stays_usable(figure, typed, said):
    box = figure.page.get_by_label("your letters")
    box.fill(typed)
    expect(figure.page.locator(".touch-note")).to_contain_text(said)
    box.fill("abcdabc")
    expect(figure.page.locator(".touch-letters[aria-hidden] .touch-letter")).to_have_count(7)
    expect(figure.page.locator(".touch-next li")).to_have_count(5)


def test_weights_that_did_not_come_are_an_error_in_words(mounted, data):
    figure = mounted("attention_explorer", data)
    broken = (
        "(m, data) => { try { m.read({ ...data, weights: {} }); return ''; } catch (error) { return error.message; } }"
    )
    assert "weights" in figure.compute("letters_network", broken, data)


def test_everyone_can_use_it(figure):
    assert figure.problems() == []
    figure.page.get_by_label("your letters").fill("the cat sat " * 5)
    assert figure.problems() == []
