"""What three chapters print and ask to run does what they say."""

import re

import numpy as np
import torch

from snippets.book.paths import DOCS
from snippets.icl.networks.positional_encodings import Nowhere
from snippets.icl.networks.self_attention import SelfAttention, attention, causal_mask, softmax
from snippets.mechanisms import positions, who_does_what


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def listing(chapter: str, after: str) -> str:
    text = (DOCS / "mechanisms" / f"{chapter}.md").read_text(encoding="utf-8").partition(after)[2]
    found = re.search(r"^( *)```python\n(.*?)^\1```", text, flags=re.DOTALL | re.MULTILINE)
    assert found, f"no listing after {after}"
    return re.sub(f"^{found[1]}", "", found[2], flags=re.MULTILINE)


def test_the_lines_that_matter_are_one_head():
    layer = SelfAttention(8, 1, generator()).double().requires_grad_(False)
    x = torch.randn(5, 8, generator=generator(1)).double()
    names = {"x": x, "d_k": 8, "n_tokens": 5, "softmax": softmax, "causal_mask": causal_mask}
    names |= {name: getattr(layer, name)[0] for name in ("W_Q", "W_K", "W_V", "W_O")}
    exec(listing("attention", "## The lines that matter"), names)
    written, pattern = layer(x[None], Nowhere())
    torch.testing.assert_close(names["written"], written[0, 0])
    torch.testing.assert_close(names["pattern"], pattern[0, 0])


def test_two_equal_keys_share(capsys):
    exec(listing("attention", "two entries for blue"), {})
    assert float(capsys.readouterr().out.strip().removeprefix("tensor(").rstrip(")")) == 4


def test_a_mask_that_is_not_infinite():
    x = torch.randn(5, 8, generator=generator())
    leaks = [attention(x, x, x, causal_mask(5).clamp(min=least))[1][0, 1:].sum() for least in (-10.0, -1e9)]
    assert 0 < leaks[0] < 1e-3 and leaks[1] == 0


def test_attention_twice_as_loud_spoils_the_own_sum(monkeypatch):
    measure = who_does_what.measure

    def louder(network, *rest):
        network.attention.W_O.data *= 2
        return measure(network, *rest)

    monkeypatch.setattr(who_does_what, "measure", louder)
    own, neighbour, own_sum, touching = who_does_what.run(who_does_what.Config(), 0)["accuracy"]
    assert own_sum < 0.95 < min(own, neighbour, touching)


def test_a_tiny_mlp_spoils_the_touching_sum():
    accuracy = np.asarray(who_does_what.run(who_does_what.Config(d_mlp=4), 0)["accuracy"])
    assert accuracy[2] > 0.85 and accuracy[3] < 0.6


def test_faster_hands_end_sooner():
    slow, fast = (positions.run(positions.Config("rotary", rotary_base=base), 0) for base in (1e4, 100.0))
    assert fast["within"] > 0.98 and fast["to_twice"] < slow["to_twice"] - 0.05


def test_alibi_with_more_heads_looks_sharper():
    few, many = (positions.run(positions.Config("alibi", n_heads=n), 0) for n in (4, 16))
    assert many["within"] > few["within"] + 0.1 and many["beyond"] > few["beyond"] + 0.1
