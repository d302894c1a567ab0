"""Parts that are off, or never were: what is left is what the others do."""

import pytest
import torch

from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.networks.switched_off import SwitchedOff
from snippets.mechanisms import stored_facts
from snippets.mechanisms.figures import stored_facts as figures

SMALL = {"d": 4, "d_model": 8, "n_items": 12, "n_labels": 6, "n_pairs": 3, "n_steps": 3, "batch": 4, "n_test": 20}
ATTENTION = {(0, "attention"), (1, "attention")}


def network() -> MaskedTransformer:
    return MaskedTransformer(6, 3, 8, 2, 2, torch.Generator().manual_seed(1))


def prompts(n: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    tokens = torch.randn(n, 4, 6, generator=torch.Generator().manual_seed(2))
    return tokens, torch.ones(4, 4, dtype=torch.bool)


def test_with_nothing_off_it_is_the_network():
    tokens, may_read = prompts()
    torch.testing.assert_close(SwitchedOff(network(), set())(tokens, may_read), network()(tokens, may_read))


def test_a_part_that_writes_zeros_changes_nothing_when_off():
    tokens, may_read = prompts()
    silent = network().requires_grad_(False)
    silent.W_down[1].zero_()
    torch.testing.assert_close(SwitchedOff(silent, {(1, "mlp")})(tokens, may_read), silent(tokens, may_read))
    assert not torch.allclose(SwitchedOff(silent, {(0, "mlp")})(tokens, may_read), silent(tokens, may_read))


def test_with_attention_off_a_token_hears_nothing_of_its_prompt():
    tokens, may_read = prompts()
    tokens[1, 2] = tokens[0, 2]  # the same token in two prompts that differ elsewhere
    on, off = (SwitchedOff(network(), parts)(tokens, may_read) for parts in (set(), ATTENTION))
    torch.testing.assert_close(off[0, 2], off[1, 2])
    assert not torch.allclose(on[0, 2], on[1, 2])


def test_one_prompt_is_its_own_mean():
    tokens, may_read = prompts(1)
    torch.testing.assert_close(SwitchedOff(network(), ATTENTION)(tokens, may_read), network()(tokens, may_read))


@pytest.mark.parametrize("part", [(2, "mlp"), (-1, "attention"), (0, "head")])
def test_a_part_that_is_not_there_is_named(part):
    with pytest.raises(ValueError, match=f"no {part[1]!r} in layer {part[0]}: the network has layers 0 to 1"):
        SwitchedOff(network(), {part})


@pytest.mark.parametrize("without", ["", "mlp", "attention"])
def test_a_short_run_repeats_and_what_never_was_is_not_missed(without):
    config = stored_facts.Config(without=without, **SMALL)
    one, two = stored_facts.run(config, 1000), stored_facts.run(config, 1000)
    assert one == two and all(0 <= value <= 1 for value in one.values())
    assert len(one) == 2 * (1 + 2 * (1 + config.n_layers))
    if without:  # what wrote nothing is not missed
        assert one[f"remembers_{without}"] == pytest.approx(one["remembers"], abs=0.3)


def test_every_claim_can_fail_and_the_figure_has_every_row():
    level = {
        f"{answer}{off}": 0.5 for answer in figures.ASKED for off in ("", *{off for _, off in figures.ROWS.values()})
    }
    level |= {"reads_mlp": 0.5, "remembers_attention": 0.9}
    runs = {name: dict(level) for name in stored_facts.PRESETS["laptop"]}
    assert [claim.id for claim in stored_facts.CLAIMS if claim.holds(float(claim.value(runs)))] == []
    assert set(figures.draw([runs])) == {"parts"}
