"""The classifier reads what it may read, and no more."""

import pytest
import torch

from snippets.icl.networks.context_classifier import ContextClassifier, Shape, shifted, visible


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def example(batch: int = 3, length: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(batch, length, 4, generator=seeded(1)), torch.randint(5, (batch, length), generator=seeded(2))


SHAPES = [Shape(d_model=8), Shape(8, 1, 2, mlp=2, paired=False, n_positions=7)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_guess_depends_on_no_label_from_its_own_on(shape):
    network = ContextClassifier(4, 5, shape, seeded())
    x, label = example()
    before = network(x, label)
    changed_label, changed_x = label.clone(), x.clone()
    changed_label[:, 4:] = (label[:, 4:] + 1) % 5
    changed_x[:, 5:] += 1
    after = network(changed_x, changed_label)
    torch.testing.assert_close(after[:, :5], before[:, :5])
    assert not torch.allclose(after[:, 5], before[:, 5])


def test_tokens():
    x, label = example()
    paired = ContextClassifier(4, 5, Shape(d_model=8), seeded()).tokens(x, label)
    apart = ContextClassifier(4, 5, Shape(d_model=8, paired=False), seeded()).tokens(x, label)
    assert paired.shape[-1] == 4 + 5 + 4 and apart.shape[-1] == 4 + 5
    assert torch.equal(paired[..., :9], apart)
    assert torch.equal(apart[:, 1:, 4:].argmax(-1), label[:, :-1]) and not apart[:, 0, 4:].any()
    assert torch.equal(paired[..., 9:], shifted(x))


def test_without_positions_the_order_of_examples_earlier_does_not_matter_to_one_layer():
    network = ContextClassifier(4, 5, Shape(d_model=8, n_layers=1), seeded())
    x, label = example()
    tokens = network.tokens(x, label)
    swapped = tokens.clone()
    swapped[:, [1, 2]] = tokens[:, [2, 1]]
    network.tokens = lambda x, label: tokens
    one = network(x, label)[:, -1]
    network.tokens = lambda x, label: swapped
    torch.testing.assert_close(network(x, label)[:, -1], one)


def test_windows():
    assert visible(3, None).tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert visible(3, 2).tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    network = ContextClassifier(4, 5, Shape(d_model=8), seeded())
    x, label = example()
    torch.testing.assert_close(network(x, label, window=7), network(x, label))
    alone = network(x, label, window=1)
    other = x.clone()
    other[:, :5] += 1
    torch.testing.assert_close(network(other, label, window=1)[:, 6], alone[:, 6])


def test_the_first_guess_is_nearly_even():
    network = ContextClassifier(4, 5, Shape(), seeded())
    x, label = example(64)
    loss = torch.nn.functional.cross_entropy(network(x, label).flatten(0, 1), label.flatten())
    assert loss.item() == pytest.approx(torch.tensor(5.0).log().item(), abs=0.05)


def test_bad_input_is_one_clear_line():
    with pytest.raises(ValueError, match="n_heads = 3 does not divide d_model = 8"):
        ContextClassifier(4, 5, Shape(d_model=8, n_heads=3), seeded())
    network = ContextClassifier(4, 5, SHAPES[1], seeded())
    with pytest.raises(ValueError, match="a sequence of 9 is longer than the network's 7 positions"):
        network(*example(length=9))
    with pytest.raises(ValueError, match="a window of 0 tokens sees nothing"):
        network(*example(), window=0)
