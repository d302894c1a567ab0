"""Eight architectures: same size, who sees whom, and what is refused."""

import pytest
import torch

from snippets.icl.networks.attention_layer import AttentionLayer
from snippets.icl.networks.memory_layer import MemoryLayer
from snippets.icl.networks.same_block import ARCHITECTURES, MIXERS, Frame, build, count_parameters

SIZE = 24 * 16**2


def network(architecture: str, seed: int = 0, n_blocks: int = 2):
    frame = Frame(architecture, 16, 2, n_blocks, SIZE * n_blocks // 2)
    return build(frame, torch.Generator().manual_seed(seed))


def tokens(n: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(3, n, 16, generator=torch.Generator().manual_seed(seed))


def test_there_are_eight():
    assert len(set(ARCHITECTURES)) == 8 and set(MIXERS) == set(ARCHITECTURES) - {"encoder-decoder"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_have_the_same_number_of_parameters(architecture):
    for n_blocks in (2, 4):
        count = count_parameters(network(architecture, n_blocks=n_blocks))
        assert count == pytest.approx(SIZE * n_blocks // 2, rel=0.01)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_queries_hear_of_examples_and_of_no_later_query(architecture):
    model, examples, queries = network(architecture), tokens(5), tokens(4, 2)
    out = model(examples, queries)
    assert out.shape == queries.shape
    changed = queries.clone()
    changed[:, -1] += 1
    torch.testing.assert_close(model(examples, changed)[:, :-1], out[:, :-1])
    for i in range(5):
        other = examples.clone()
        other[:, i] += 1
        assert (model(other, queries) - out)[:, -1].abs().max() > 1e-4, f"example {i} is not heard of"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_order_of_examples(architecture):
    model, examples, queries = network(architecture), tokens(5), tokens(2, 2)
    same = torch.allclose(model(examples.flip(1), queries), model(examples, queries), atol=1e-5)
    # where examples see each other both ways, no order is left
    assert same == (architecture in ("encoder-decoder", "prefix-lm"))


@pytest.mark.parametrize("architecture", MIXERS)
def test_mixers_are_causal_but_for_the_prefix(architecture):
    mixer = MIXERS[architecture](16, 2, torch.Generator().manual_seed(0))
    x, changed = tokens(6), tokens(6)
    changed[:, 3] += 1
    differs = (mixer(changed, 4) - mixer(x, 4)).abs().amax((0, 2)) > 1e-6
    before = differs[:3].any().item()
    assert before == (architecture == "prefix-lm")
    assert differs[3:].any()


def test_cross_attention_reads_from_the_other_tokens():
    layer = AttentionLayer(8, 2, torch.Generator().manual_seed(0))
    x, source = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    read = layer(x, read_from=source)
    torch.testing.assert_close(layer(x, read_from=source.flip(1)), read)
    assert not torch.allclose(layer(x, read_from=source + 1), read)


def test_same_seed_same_weights():
    for architecture in ARCHITECTURES:
        one, two, other = (list(network(architecture, seed).parameters()) for seed in (3, 3, 4))
        assert all(torch.equal(a, b) for a, b in zip(one, two))
        assert not all(torch.equal(a, b) for a, b in zip(one, other))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda g: build(Frame("decoder", 10, 3, 2, 10_000), g), "n_heads = 3 does not divide d_model = 10"),
        (lambda g: build(Frame("titans", 10, 3, 2, 10_000), g), "n_heads = 3 does not divide d_model = 10"),
        (lambda g: build(Frame("mamba", 8, 2, 2, 10_000), g), "no architecture 'mamba': choose from decoder"),
        (lambda g: build(Frame("lstm", 16, 2, 2, 1000), g), "1000 parameters leave none for the MLPs of 'lstm'"),
        (lambda g: build(Frame("encoder-decoder", 16, 2, 1, 9000), g), "needs at least 2"),
        (lambda g: MemoryLayer("hebb", 8, 2, g), "no rule 'hebb': choose from linear, delta, titans"),
        (lambda g: AttentionLayer(8, 2, g, "diagonal"), "no mask 'diagonal': choose from causal, prefix"),
    ],
)
def test_what_cannot_be_built_is_refused(make, word):
    with pytest.raises(ValueError, match=word):
        make(torch.Generator())


def test_a_prompt_beyond_the_convolutions_reach_is_refused():
    model = network("convolution")
    assert model(tokens(50), tokens(13, 2)).shape == (3, 13, 16)
    with pytest.raises(ValueError, match="64 tokens is longer than the 63"):
        model(tokens(50), tokens(14, 2))
