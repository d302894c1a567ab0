"""Soft tokens and prefixes of our decoder are those of the library peft, on the same weights."""

import subprocess
from pathlib import Path

import pytest
import torch

from snippets.icl.networks.decoder import Decoder
from snippets.icl.networks.positional_encodings import Rotary

pytestmark = pytest.mark.peft

SCRIPT = Path(__file__).with_name("peft_says.py")


@pytest.fixture(scope="module")
def both(python_with_libraries, tmp_path_factory) -> tuple[dict, dict]:
    """Ours, and what peft says."""
    g = torch.Generator().manual_seed(0)
    network = Decoder(torch.randn(20, 16, generator=g), 2, 2, 4, Rotary(), g).requires_grad_(False)
    tokens = torch.randint(20, (3, 7), generator=g)
    soft, prefix = torch.randn(5, 16, generator=g), torch.randn(4, 4, 5, 4, generator=g)
    ours = {"plain": network(tokens), "soft": network(tokens, soft=soft), "prefix": network(tokens, prefix=prefix)}
    given = {"weights": network.state_dict(), "n_heads": 4, "tokens": tokens, "soft": soft, "prefix": prefix}
    path = tmp_path_factory.mktemp("peft") / "given.pt"
    torch.save(given, path)
    done = subprocess.run([python_with_libraries, SCRIPT, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ours, torch.load(path)


@pytest.mark.parametrize("way", ["plain", "soft", "prefix"])
def test_the_same_logits(both, way):
    ours, theirs = both
    torch.testing.assert_close(ours[way], theirs[way], atol=2e-5, rtol=0)


def test_what_stands_in_front_matters(both):
    ours, _ = both
    assert (ours["soft"] - ours["plain"]).abs().max() > 0.01
    assert (ours["prefix"] - ours["plain"]).abs().max() > 0.01


def test_the_same_shapes(both):
    _, theirs = both
    assert theirs["soft_shape"] == (5, 16)
    assert theirs["n_prefix"] == 4 * 4 * 5 * 4
    assert theirs["past_shapes"] in ([], [(1, 4, 5, 4)] * 2)
