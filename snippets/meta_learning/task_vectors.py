"""Is the task a vector that can be taken out of one prompt and put into another?

Source: hendel2023, abstract (a state replaced); todd2024, abstract (heads' mean
outputs added); han2025, abstract (tasks told apart as accuracy comes); yin2025, abstract
(two kinds of heads). Here: six tasks on a clock, and a transformer of three layers
trained on nothing else; there: language models, and in han2025 a small one too.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from snippets.contract import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    Claim,
    Measurements,
    Reported,
    above,
    at_most,
    below,
)
from snippets.icl.networks.function_vectors import (
    TaskMeans,
    decodability,
    indirect_effects,
    matches,
    task_means,
)
from snippets.icl.networks.open_transformer import (
    OpenTransformer,
    put_in,
    switched_off,
)
from snippets.icl.streams import streams
from snippets.icl.training.clock_training import (
    Asked,
    ClockTraining,
    Exam,
    best_without_examples,
    new_network,
    share,
    training,
)

PRESETS = {"laptop": ClockTraining()}
ADD_AFTER = 1  # layers done; found on other seeds


# --8<-- [start:look]
@torch.no_grad()
def look(network: OpenTransformer, exam: Exam) -> dict[str, Any]:
    """At one step: is it right, can its states tell the tasks apart, does a vector
    work, and what does each head do?"""
    means = means_of(network, exam)
    states = network(exam.dummy.tokens).states
    few, zero = exam.few_shot, exam.zero_shot
    vector = means.gained.sum((1, 2))[zero.task]
    change = put_in(network, ADD_AFTER, vector, add=True)
    return {
        "few_shot": share(network(few.tokens).logits, few.answer),
        "zero_shot": share(network(zero.tokens).logits, zero.answer),
        "with_vector": share(network(zero.tokens, change).logits, zero.answer),
        "decodable": [decodability(x[:, -1], exam.dummy.task) for x in states],
        "effects": effects_of(network, exam, means),
        "matches": matches(network, exam.shown.tokens).numpy(),
    }


def means_of(network: OpenTransformer, exam: Exam) -> TaskMeans:
    shown, without = exam.for_vectors, exam.zero_shot.tokens
    return task_means(network, shown.tokens, shown.task, without)


def effects_of(network: OpenTransformer, exam: Exam, means: TaskMeans) -> np.ndarray:
    asked = exam.shuffled
    some = slice(0, 256)
    return indirect_effects(
        network, means, asked.tokens[some], asked.task[some], asked.answer[some]
    ).numpy()


# --8<-- [end:look]


# --8<-- [start:insert]
@torch.no_grad()
def put_into_prompts(
    network: OpenTransformer, exam: Exam, means: TaskMeans
) -> dict[str, list[float]]:
    """For each number of layers done: how often the answer is the vector's task's. In
    prompts of another task, only queries on which the two tasks differ count."""
    zero, few, other = exam.zero_shot, exam.few_shot, exam.other
    vector = means.gained.sum((1, 2))
    aim = exam.maps[other, few.hour]
    differ = aim != few.answer
    noise = torch.randn(vector.shape, generator=torch.Generator().manual_seed(0))
    turn = vector[other] - vector[few.task]
    random = noise[other] / noise[other].norm(dim=1, keepdim=True)
    found: dict[str, list[float]] = {}

    def note(name: str, layer: int, v: Tensor, add: bool, asked, answer, among=None):
        logits = network(asked.tokens, put_in(network, layer, v, add)).logits
        among = slice(None) if among is None else among
        found.setdefault(name, []).append(share(logits[among], answer[among]))

    for layer in range(len(network.W_O) + 1):
        state = means.state[:, layer]
        note("replaced", layer, state[zero.task], False, zero, zero.answer)
        note("added", layer, vector[zero.task], True, zero, zero.answer)
        note("added_mean", layer, vector.mean(0), True, zero, zero.answer)
        note("replaced_other", layer, state[other], False, few, aim, differ)
        note("added_other", layer, turn, True, few, aim, differ)
        note("added_own", layer, turn, True, few, few.answer, differ)
        length = turn.norm(dim=1, keepdim=True)
        note("added_random", layer, length * random, True, few, few.answer, differ)
    return found


# --8<-- [end:insert]


# --8<-- [start:mix]
@torch.no_grad()
def two_vectors(
    network: OpenTransformer, exam: Exam, means: TaskMeans
) -> dict[str, float]:
    """Means and sums of two tasks' vectors, over all pairs: how often is the answer one
    of the two, or that of one task after the other?"""
    vector, zero, maps = means.gained.sum((1, 2)), exam.zero_shot, exam.maps
    first, second = zero.task, exam.other
    a, b = maps[first, zero.hour], maps[second, zero.hour]
    after = maps[first, b]  # the first task, done to what the second one gives
    mean, total = (vector[first] + vector[second]) / 2, vector[first] + vector[second]
    answers = {
        name: network(zero.tokens, put_in(network, ADD_AFTER, v, True)).logits
        for name, v in (("mean", mean), ("sum", total))
    }
    apart = a != b
    new = apart & (after != a) & (after != b)  # the composition is a third answer
    return {
        "mean_is_one": sum(share(answers["mean"][apart], x[apart]) for x in (a, b)),
        "sum_is_composed": share(answers["sum"][new], after[new]),
        "mean_is_composed": share(answers["mean"][new], after[new]),
    }


# --8<-- [end:mix]


# --8<-- [start:heads]
@torch.no_grad()
def heads(
    network: OpenTransformer, exam: Exam, means: TaskMeans, seen: dict[str, Any]
) -> dict[str, Any]:
    """Vectors of the few heads with the largest effect; and the few-shot accuracy that
    is left when the top heads by either score read their mean."""
    zero = exam.zero_shot
    everywhere = network(exam.for_vectors.tokens).heads
    usual = [read.mean((0, 2)) for read in everywhere]  # (head, d_head) a layer
    found: dict[str, Any] = {"of_heads": [], "without": {}}
    by_effect = np.argsort(-seen["effects"].flatten())
    for k in range(1, len(by_effect) + 1):
        chosen = means.gained.flatten(1, 2)[:, by_effect[:k].copy()].sum(1)[zero.task]
        change = put_in(network, ADD_AFTER, chosen, add=True)
        found["of_heads"].append(
            share(network(zero.tokens, change).logits, zero.answer)
        )
    for score in ("effects", "matches"):
        order = np.argsort(-seen[score].flatten())
        for name, asked in (("new", exam.few_shot), ("shown", exam.shown)):
            left = [left_without(network, asked, usual, order[:k]) for k in range(5)]
            found["without"][f"{score}_{name}"] = left
    dice = np.random.default_rng(0)
    orders = [dice.permutation(len(by_effect)) for _ in range(6)]
    found["without"]["any_new"] = [
        np.mean([left_without(network, exam.few_shot, usual, o[:k]) for o in orders])
        for k in range(5)
    ]
    return found


def left_without(
    network: OpenTransformer, asked: Asked, usual: list[Tensor], places: np.ndarray
) -> float:
    """Accuracy when the heads at these places read what they read on average."""
    off = [divmod(int(place), network.n_heads) for place in places]
    change = switched_off(network, off, usual)
    return share(network(asked.tokens, at_heads=change).logits, asked.answer)


# --8<-- [end:heads]


# --8<-- [start:run]
def run(config: ClockTraining, seed: int) -> Measurements:
    weights, data, questions = streams(seed, 3)
    network, exam, history = new_network(config, weights), Exam(config, questions), []
    for step in training(network, config, data):
        if step % config.evaluate_every == 0:
            history.append({"step": step, **look(network, exam)})
    seen = {name: np.array([one[name] for one in history]) for name in history[0]}
    means = means_of(network, exam)
    at_the_end = heads(network, exam, means, history[-1])
    inserted = put_into_prompts(network, exam, means)
    return {
        **seen,
        **{name: np.array(values) for name, values in inserted.items()},
        **two_vectors(network, exam, means),
        "of_heads": np.array(at_the_end["of_heads"]),
        **{f"without_{k}": np.array(v) for k, v in at_the_end["without"].items()},
        "best_without": best_without_examples(exam.maps),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


# --8<-- [end:run]


def end(name: str):
    return lambda m: float(m[name][-1])


def put(name: str):
    """A share, where the vector is put in after the first layer."""
    return lambda m: float(m[name][ADD_AFTER])


def first_at(m: Measurements, curve: np.ndarray, level: float) -> float:
    """The first measured step with a curve at or over a level, or infinity."""
    there = m["step"][curve >= level]
    return float(there[0]) if len(there) else np.inf


def steps_apart(m: Measurements) -> float:
    """From accuracy to decodability at three in five, either way."""
    steps = [first_at(m, c, 0.6) for c in (m["few_shot"], m["decodable"][:, 2])]
    return abs(steps[0] - steps[1]) if np.isfinite(steps).all() else np.inf


def best_replaced(m: Measurements) -> float:
    """Of the layers after which something else than the word stands there."""
    return float(m["replaced"][1:].max())


# fmt: off
CLAIMS = [
    Claim("few-shot", end("few_shot"), above(0.9), "",
          "With five examples more than nine answers in ten are right, about hours that they do not show."),
    Claim("no-example", end("zero_shot"), below(0.35), "",
          "Without an example fewer than 35 in 100 are right."),
    Claim("added", put("added"), above(0.6), "",
          "With the function vector added after the first layer and no example over six answers in ten are right."),
    Claim("mean", put("added_mean"), below(0.4), "",
          "With the mean of all tasks' vectors added fewer than four in ten are right."),
    Claim("replaced", best_replaced, below(0.5), "",
          "With the task's mean state in the place of the last token's fewer than half are right, at the best layer.",
          Reported("hendel2023", "abstract", "a state put in its place brings the task to a prompt without examples",
                   NOT_REPRODUCED)),
    Claim("added-better", lambda m: float(m["added"].max()) - best_replaced(m), above(0.2), "",
          "Each at its best layer, adding is right in more than a fifth more of the answers than replacing."),
    Claim("other-follows", put("added_other"), above(0.3), "",
          "In prompts with examples of another task more than three answers in ten follow the vector added."),
    Claim("other-leaves", put("added_own"), below(0.3), "",
          "Fewer than three in ten still follow the examples."),
    Claim("random", lambda m: put("added_random")(m) - put("added_own")(m), above(0.15), "",
          "With a random vector of the same length at least 0.15 more of the answers follow the examples."),
    Claim("mean-of-two", lambda m: float(m["mean_is_one"]), above(0.55), "",
          "With the mean of two tasks' vectors more than 55 answers in 100 are one of the two."),
    Claim("composed", lambda m: float(m["sum_is_composed"]), below(0.2), "",
          "With the sum of two tasks' vectors fewer than a fifth of the answers are one task after the other."),
    Claim("decodable", lambda m: float(m["decodable"][-1, 2]), above(0.85), "",
          "At the end more than 85 states in 100 after layer 2 lie among states of their own task."),
    Claim("not-in-one", lambda m: float(m["decodable"][-1, 1]), below(0.65), "",
          "After layer 1 fewer than 65 in 100 do."),
    Claim("tracks", lambda m: float(np.corrcoef(m["decodable"][:, 2], m["few_shot"])[0, 1]), above(0.85), "",
          "Over training decodability after layer 2 and accuracy correlate by more than 0.85."),
    Claim("order", steps_apart, at_most(150), "steps",
          "They pass three in five within 150 steps of each other.", digits=3),
    Claim("four-heads", lambda m: float(m["of_heads"][3] / m["of_heads"][-1]), above(0.65), "",
          "The four heads with the largest effect give a vector that is right at least 0.65 times as often as that of "
          "all twelve."),
    Claim("effect-off", lambda m: float(m["without_effects_new"][3]), below(0.95), "",
          "Without the three heads of largest effect fewer than 95 answers in 100 are right."),
    Claim("match-off", lambda m: float(m["without_matches_new"][3]), below(0.95), "",
          "Without the three heads that look most at a match fewer than 95 in 100 are right."),
    Claim("any-off", lambda m: float(m["without_any_new"][3]), below(0.95), "",
          "Without any three heads, on average over six draws, fewer than 95 in 100 are right."),
    Claim("match-heads", lambda m: float(m["without_matches_new"][3] - m["without_effects_new"][3]), below(0.1), "",
          "Without the three heads that look most at a match at most 0.1 more is right than without the three with the "
          "largest effect. It would take a network that must copy as well, and more heads, to tell the two apart.",
          Reported("yin2025", "abstract", "few-shot accuracy depends first on function-vector heads", INCONCLUSIVE)),
]
# fmt: on
