"""Does next-token prediction alone make an in-context learner?

A small language model reads a novel, another one source code. What does it gain from
more context, and is text that it wrote itself easier for it than text that it is given?

Source: the ICL score is olsson2022's (key concepts), there on models of up to 13 billion
weights, contexts of 512 tokens and billions of tokens of training. Ours: two layers, 128
tokens of context, two hundred thousand tokens; the score on the *same* tokens with more
or less before them; text of its own against text as given.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.contract import (
    INCONCLUSIVE,
    Claim,
    Measurements,
    Reported,
    above,
    at_most,
    below,
    between,
)
from snippets.icl.networks.language_model import LanguageModel, losses, write
from snippets.icl.streams import streams
from snippets.icl.tasks.byte_pairs import cut, n_bytes, tokenised
from snippets.icl.training.pretraining import (
    Pretraining,
    new_model,
    pretrain,
    with_context,
)


@dataclass(frozen=True)
class Config(Pretraining):
    evaluate_every: int = 50
    n_watch: int = 64  # windows for the loss on the way
    n_prompts: int = 256
    n_given: int = 16  # tokens of a prompt that are given in either case
    n_resamples: int = 1000
    passage: int = 2000  # where in the held-out text the passage of the picture begins


PRESETS = {"laptop": {"novel": Config(), "code": Config(corpus="code")}}


# --8<-- [start:reach]
def reach(model: LanguageModel, row: Int[Tensor, "token"], c: Config) -> Measurements:
    """Loss of the same held-out tokens with 1, 2, ... 16 tokens before them, and with
    1-16, 17-32, ... 113-128."""
    targets = range(c.context, c.context + c.n_targets)
    near = with_context(model, row, targets, 16, 1)
    far = with_context(model, row, targets, c.context, 16)
    return {
        "near": near.mean(1).numpy(),
        "far": far.mean(1).numpy(),
        "score": (far[-1].mean() - near[12].mean()).item(),  # 113-128 against 13
        "score_error": ((far[-1] - near[12]).std() / c.n_targets**0.5).item(),
    }


# --8<-- [end:reach]


def repeated(model: LanguageModel, row: Int[Tensor, "token"], c: Config) -> float:
    """Held-out text, given twice in a row: the second reading's loss minus the first's,
    both without their first token."""
    half = c.context // 2
    once = cut(row, half, c.n_prompts)
    with torch.no_grad():
        loss = losses(model, torch.cat([once, once], 1)).mean(0)
    return (loss[half:].mean() - loss[: half - 1].mean()).item()


# --8<-- [start:own]
def entropies(
    model: LanguageModel, tokens: Int[Tensor, "prompt pos"]
) -> Float[Tensor, "prompt pos"]:
    """How much each guess leaves open, in nats, on text as given."""
    guess = model(tokens).log_softmax(-1)
    return -(guess.exp() * guess).sum(-1)


@torch.no_grad()
def given_and_own(
    model: LanguageModel, row: Int[Tensor, "token"], c: Config, generator: Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Loss on text as given, and on the model's own after the same beginnings; then the
    entropy of its guesses on either. (prompt, token after the beginning)"""
    given = cut(row, c.context, c.n_prompts)
    own, entropy = write(model, given[:, : c.n_given], c.context, generator)
    first = c.n_given - 1  # the loss of the first token that is not given
    return (
        losses(model, given)[:, first:],
        losses(model, own)[:, first:],
        entropies(model, given[:, :-1])[:, first:],
        entropy,
    )


# --8<-- [end:own]


# --8<-- [start:curves]
def blocks(loss: Float[Tensor, "prompt pos"], size: int = 16) -> np.ndarray:
    """Mean loss of every `size` tokens, for each prompt: (prompt, block)."""
    return loss.unflatten(1, (-1, size)).mean(-1).double().numpy()


def differences(curve: np.ndarray) -> np.ndarray:
    """A curve's values, its first differences and its second, side by side."""
    return np.concatenate([np.diff(curve, k, axis=-1) for k in range(3)], -1)


def moments(curves: np.ndarray) -> np.ndarray:
    """Mean, variance and skewness over prompts of each block. (moment, block)"""
    mean, spread = curves.mean(0), curves.std(0)
    return np.stack([mean, spread**2, (((curves - mean) / spread) ** 3).mean(0)])


def resampled(
    given: np.ndarray, own: np.ndarray, n: int, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Own minus given: the difference of the curves, of their differences and of their
    moments, with 95 % intervals from prompts drawn anew, with replacement."""

    def compare(which: np.ndarray) -> np.ndarray:
        a, b = given[which], own[which]
        change = differences((b - a).mean(0))
        return np.concatenate([change, (moments(b) - moments(a))[1:].ravel()])

    every = np.arange(len(given))
    draws = [compare(generator.choice(every, len(every))) for _ in range(n)]
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    return {"change": compare(every), "low": low, "high": high}


# --8<-- [end:curves]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, sampling = streams(seed, 3)
    c = config
    tokeniser, text, held_out = tokenised(c.corpus, c.n_vocab)
    model = new_model(c, weights)
    watched = cut(held_out, c.context + 1, c.n_watch)
    curve = []
    for step in pretrain(model, text[: int(c.share * len(text))], c, data):
        if step % c.evaluate_every == 0:
            with torch.no_grad():
                curve.append((step, losses(model, watched).mean().item()))
    given, own, open_given, entropy = given_and_own(model, held_out, c, sampling)
    boot = np.random.default_rng(seed)
    passage = held_out[c.passage : c.passage + c.context + 1]
    with torch.no_grad():
        surprise = losses(model, passage[None])[0]
    return {
        "step": np.array([s for s, _ in curve]),
        "loss_by_step": np.array([loss for _, loss in curve]),
        **reach(model, held_out, c),
        "repeated": repeated(model, held_out, c),
        "given": blocks(given).mean(0),
        "own": blocks(own).mean(0),
        "entropy": entropy.mean().item(),
        "given_entropy": open_given.mean().item(),
        "given_moments": moments(blocks(given)),
        "own_moments": moments(blocks(own)),
        **resampled(blocks(given), blocks(own), c.n_resamples, boot),
        "passage": passage.numpy(),
        "surprise": surprise.numpy(),
        "bytes_a_token": n_bytes(tokeniser)[held_out].double().mean().item(),
        "n_text": len(text),
        "n_held_out": len(held_out),
        "n_parameters": sum(p.numel() for p in model.parameters()),
    }


# --8<-- [end:run]


def already(m: Measurements, n_before: int) -> float:
    """Of all that context takes off the loss beyond one token, the share that so many
    tokens take off."""
    return float(
        (m["near"][0] - m["near"][n_before - 1]) / (m["near"][0] - m["far"][-1])
    )


def far_gain(m: Measurements) -> float:
    """The largest difference, over both corpora, between any two amounts of context
    from 17-32 tokens on."""
    return max(float(np.ptp(m[c]["far"][1:])) for c in m)


def dearer(m: Measurements) -> float:
    """The model's own text minus text as given, in nats a token."""
    return float((m["own"] - m["given"]).mean())


def timid(m: Measurements) -> float:
    """Entropy of the guesses on text as given, above the loss there."""
    return m["given_entropy"] - float(m["given"].mean())


def odd(m: Measurements) -> float:
    """Entropy of the guesses on the model's own text, above that on text as given."""
    return float(m["entropy"] - m["given_entropy"])


def drawing_noise(m: Measurements) -> float:
    """Mean loss on its own text against mean entropy: the larger of two distances."""
    return max(abs(float(m[c]["own"].mean()) - m[c]["entropy"]) for c in m)


def outside(m: Measurements, which: slice) -> float:
    """How many of the changes have a 95 % interval without zero in it."""
    return float(((m["low"] > 0) | (m["high"] < 0))[which].sum())


N_BLOCKS = 7
SHAPES = slice(N_BLOCKS, 3 * N_BLOCKS - 3)  # the first and the second differences
SKEWS = slice(-N_BLOCKS, None)


def evenness(m: Measurements) -> float:
    """Variance over prompts of a block's loss: own text against text as given."""
    return float(m["own_moments"][1].mean() / m["given_moments"][1].mean())


# fmt: off
CLAIMS = [
    Claim("learned", lambda m: float(m["novel"]["far"].mean()), below(4.2), "nats",
          "On held-out chapters its loss is below 4.2 nats a token, where an even guess among 512 costs 6.24.",
          digits=3),
    Claim("score-novel", lambda m: m["novel"]["score"], between(-0.03, 0.03), "nats",
          "On the novel the ICL score, on the same tokens, is within 0.03 nats of zero. To compare with -0.4 nats it "
          "would take a training many times as long, and more context.",
          Reported("olsson2022", "argument 1", "about -0.4 nats after the phase change", INCONCLUSIVE)),
    Claim("score-code", lambda m: m["code"]["score"], between(-0.1, -0.005), "nats",
          "On code the score is below zero, by less than 0.1 nats."),
    Claim("code-more", lambda m: m["code"]["score"] - m["novel"]["score"], below(-0.005), "nats",
          "Code has the more negative score."),
    Claim("flat", far_gain, below(0.05), "nats",
          "Between some 25 tokens before and some 120 the loss of the same tokens nowhere moves by more than 0.05 "
          "nats, in prose and in code."),
    Claim("four-tokens", lambda m: already(m["novel"], 4), above(0.75), "of the gain",
          "On the novel four tokens bring more than three quarters of all that context brings beyond one token."),
    Claim("code-reaches", lambda m: already(m["novel"], 4) - already(m["code"], 4), above(0.05), "of the gain",
          "On code four tokens bring a smaller share of it, by more than 0.05."),
    Claim("no-copy", lambda m: min(m[c]["repeated"] for c in m), above(-0.1), "nats",
          "A stretch of text read twice in a row is, the second time, less than 0.1 nats a token easier, in prose "
          "and in code."),
    Claim("entropy", drawing_noise, below(0.05), "nats",
          "On its own text, its mean loss is its mean entropy, to within 0.05 nats."),
    Claim("dearer", lambda m: dearer(m["novel"]), above(0), "nats",
          "Its own text costs it more than the novel's, token by token."),
    Claim("dearer-code", lambda m: dearer(m["code"]), above(0), "nats",
          "Its own text costs it more than SymPy's, token by token."),
    Claim("timid", lambda m: timid(m["novel"]), above(0), "nats",
          "On the novel as given its guesses leave more open, in entropy, than they turn out to lose."),
    Claim("not-odd", lambda m: odd(m["novel"]), between(-0.06, 0.06), "nats",
          "The entropy of its guesses is the same on its own text as on the novel, to within 0.06 nats."),
    Claim("timid-code", lambda m: timid(m["code"]), above(0), "nats",
          "On code as given, too, its guesses leave more open than they turn out to lose."),
    Claim("odd-code", lambda m: odd(m["code"]), above(0.03), "nats",
          "On its own code the entropy of its guesses is more than 0.03 nats above that on SymPy's."),
    Claim("same-shape", lambda m: outside(m["novel"], SHAPES), at_most(3), "of 11",
          "On the novel, of 11 first and second differences of the curves at most 3 differ beyond their 95 % "
          "intervals."),
    Claim("same-shape-code", lambda m: outside(m["code"], SHAPES), at_most(3), "of 11",
          "On code at most 3 of 11 do."),
    Claim("evener", lambda m: evenness(m["novel"]), below(1), "of the variance",
          "On its own text the variance from prompt to prompt is below that of the novel."),
    Claim("evener-code", lambda m: evenness(m["code"]), below(0.7), "of the variance",
          "On its own code the variance from prompt to prompt is below 0.7 of that of SymPy."),
    Claim("same-skew", lambda m: outside(m["novel"], SKEWS), at_most(3), "of 7",
          "On the novel the skewness differs beyond its 95 % interval in at most 3 of 7 blocks."),
]
# fmt: on
