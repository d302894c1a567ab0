"""The decoder with something in front: identities, masks, and what it refuses."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from snippets.icl.networks.decoder import Decoder, count_parameters
from snippets.icl.networks.positional_encodings import ALiBi, Learned, Nowhere, Rotary
from snippets.icl.networks.shifted_positions import Shifted, Squeezed


def new(positions=None, n_heads=2, n_positions=24) -> Decoder:
    g = Generator().manual_seed(0)
    made = Rotary() if positions is None else positions
    return Decoder(torch.randn(11, 8, generator=g), 2, 2, n_heads, made, g, n_positions).requires_grad_(False)


TEXT = st.lists(st.integers(0, 10), min_size=1, max_size=6)


@settings(max_examples=20, deadline=None)
@given(TEXT, TEXT, st.sampled_from(["rotary", "none", "alibi"]))
def test_a_text_its_vectors_and_its_keys_and_values_are_the_same(front, words, name):
    network = new({"rotary": Rotary(), "none": Nowhere(), "alibi": ALiBi(2)}[name])
    front, words = torch.tensor(front), torch.tensor([words])
    in_full = network(torch.cat([front[None], words], 1))[:, len(front) :]
    torch.testing.assert_close(network(words, prefix=network.prefix_of(front)), in_full, atol=1e-5, rtol=0)
    torch.testing.assert_close(network(words, soft=network.W_E[front]), in_full, atol=1e-5, rtol=0)


def test_no_word_reads_a_later_one():
    network, words = new(), torch.tensor([[1, 2, 3, 4]])
    changed = words.clone()
    changed[0, -1] = 9
    torch.testing.assert_close(network(words)[:, :-1], network(changed)[:, :-1])
    assert (network(words)[:, -1] - network(changed)[:, -1]).abs().max() > 1e-3


def test_a_prefix_is_read_and_where_it_stands_matters():
    network, words = new(), torch.tensor([[1, 2, 3]])
    one, other = (network(words, prefix=network.prefix_of(torch.tensor(t))) for t in ([4, 5], [5, 4]))
    assert (one - network(words)).abs().max() > 1e-3 and (one - other).abs().max() > 1e-4


def test_shifted_positions_start_anywhere_in_training_and_first_afterwards():
    shifted = Shifted(12, 8, Generator().manual_seed(0))
    x = torch.zeros(1, 4, 8)
    starts = {int((shifted.W_pos == shifted.add(x)[0, 0]).all(1).nonzero()) for _ in range(200)}
    assert starts == set(range(9))
    shifted.generator = None
    torch.testing.assert_close(shifted.add(x)[0], shifted.W_pos[:4])
    with pytest.raises(ValueError, match="longer than the 12 positions"):
        shifted.add(torch.zeros(1, 13, 8))


def test_squeezed_positions_are_rotary_ones_of_a_slower_clock():
    x = torch.randn(1, 1, 9, 8, generator=Generator().manual_seed(0))
    torch.testing.assert_close(Squeezed(factor=1.0).rotate(x), Rotary().rotate(x))
    spread = torch.zeros(1, 1, 17, 8)
    spread[:, :, ::2] = x
    torch.testing.assert_close(Squeezed(factor=2.0).rotate(x), Rotary().rotate(spread)[:, :, ::2])
    with pytest.raises(ValueError, match="turns no hand"):
        Squeezed(factor=0.0)


WORDS = torch.tensor([[1, 2]])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tokens": WORDS[:, :0]}, "the prompt is empty"),
        ({"tokens": torch.tensor([[11]])}, "unknown symbol: words run from 11 to 11"),
        ({"tokens": torch.tensor([[-1]])}, "unknown symbol"),
        ({"tokens": torch.zeros(1, 25, dtype=torch.long)}, "a sequence of 25 words is longer than the 24 positions"),
        ({"tokens": WORDS, "soft": torch.zeros(0, 8)}, "m = 0: no soft token"),
        ({"tokens": WORDS, "prefix": torch.zeros(4, 2, 0, 4)}, "m = 0: no soft token"),
        ({"tokens": WORDS, "soft": torch.zeros(24, 8)}, "m = 24 soft tokens leave no room"),
        ({"tokens": WORDS, "soft": torch.zeros(23, 8)}, "a sequence of 25 words is longer"),
        ({"tokens": WORDS, "soft": torch.zeros(3, 7)}, r"shape \(3, 7\): give \(m, 8\)"),
        ({"tokens": WORDS, "prefix": torch.zeros(2, 2, 3, 4)}, r"give \(4, 2, m, 4\)"),
    ],
)
def test_what_it_cannot_read(given, message):
    with pytest.raises(ValueError, match=message):
        new()(**given)


def test_heads_that_do_not_divide():
    with pytest.raises(ValueError, match="d_model = 8 is not divisible by n_heads = 3"):
        new(n_heads=3)


def test_learned_positions_end():
    with pytest.raises(ValueError, match="longer than the 3 positions"):
        new(Learned(3, 8, Generator().manual_seed(0)))(torch.tensor([[1, 2, 3, 4]]))


def test_count():
    assert count_parameters(new()) == 11 * 8 + 2 * (3 * 64 + 64 + 3 * 128) + 16
