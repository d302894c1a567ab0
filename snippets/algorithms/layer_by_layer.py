"""Is each layer of a trained stack a step that improves the answer, and are its layers
as alike and as orderless as steps of gradient descent?

Source: vonoswald2023 (layers as steps) and ahn2023 (the task: x ~ N(0, S), w ~ N(0, S^-1),
n = 20). Ours: four layers of linear attention with all weights free, looped or not, both
started near a weak step (a tenth of it, and noise), since from small weights many looped
stacks never leave a plateau. One prompt in a hundred, that with the largest eigenvalue of
C, is left out of every batch and of the test before any network is asked. Training is in
float64: one prompt's error is now and then beyond what float32 holds, and was NaN there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below, between, equals
from snippets.icl.networks.folded import fold
from snippets.icl.networks.simple_transformer import SimpleTransformer, one_step
from snippets.icl.networks.stacked import (
    Layers,
    Stack,
    refined,
    repeated,
    swapped,
    walk,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import (
    Prompts,
    draw_prompts,
    random_rotation,
    root,
)
from snippets.icl.theory import best_steps, by_layer, step_sizes
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    lam: tuple[float, ...] = (1.0, 1.0, 0.5, 0.25, 0.25)  # eigenvalues of S
    n: int = 20
    n_layers: int = 4
    std: float = 0.05
    batch: int = 256
    n_steps: int = 900
    learning_rate: float = 0.01
    n_test: int = 4000
    more_loops: int = 12  # of the looped stack, beyond training


PRESETS = {"laptop": Config()}
KINDS = ("looped", "unlooped")
PARTS = (1, 2, 4, 8, 16, 32, 64)  # steps in place of one


# --8<-- [start:train]
def started(config: Config, looped: bool, generator: Generator) -> Stack:
    """Weights near a weak step: V = -0.2 I and K = Q = I / 2, and noise."""
    d = len(config.lam)
    stack = Stack(config.n_layers, d, generator, looped=looped, std=config.std)
    eye = torch.eye(d + 1)
    with torch.no_grad():
        stack.W_V.sub_(0.2 * eye)
        stack.W_K.add_(eye / 2)
        stack.W_Q.add_(eye / 2)
    return stack


def train(
    stack: Stack, config: Config, data: Generator, roots: dict, loop: int
) -> None:
    """Adam on the answer of the last layer alone: nothing is asked of the others."""
    Sigma = roots["x_root"] @ roots["x_root"].mT
    weights = list(stack.parameters())
    adam = torch.optim.Adam(weights, config.learning_rate, (0.9, 0.99), fused=True)
    for step in steps(config.n_steps, loop=loop, of=2):
        for group in adam.param_groups:
            left = (1 - step / config.n_steps) / 0.7
            group["lr"] = config.learning_rate * min(1.0, left)
        prompts, _ = tame(draw(config.batch, config, data, roots), Sigma)
        answer = walk(fold(prompts.tokens()), stack.layers())[-1]
        loss = (answer - prompts.answer).square().mean()
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)  # one prompt can be all of a batch
        adam.step()


# --8<-- [end:train]


# --8<-- [start:left]
def left_by(layers: Layers, test: Prompts, step: float = 1.0) -> np.ndarray:
    """The mean squared error after each layer over that of the answer 0, or infinity."""
    off = walk(fold(test.tokens()), layers, step) - test.answer
    return or_infinity(off.square().mean(1) / test.answer.square().mean())


def or_infinity(error: Tensor) -> np.ndarray:
    return error.nan_to_num(nan=torch.inf, posinf=torch.inf).numpy()


def boosting(layers: Layers, test: Prompts) -> dict[str, np.ndarray]:
    """Of each block: how well what it writes agrees with what was left to explain, and
    the factor by which it should have written more to leave the least right away."""
    answers = walk(fold(test.tokens()), layers)
    left, writes = test.answer - answers[:-1], answers.diff(dim=0)
    product = (left * writes).mean(1)
    squares = writes.square().mean(1)
    return {
        "agrees": (product / (squares * left.square().mean(1)).sqrt()).numpy(),
        "should": (product / squares).numpy(),
    }


# --8<-- [end:left]


# --8<-- [start:changes]
def reordered(layers: Layers, test: Prompts) -> dict[str, np.ndarray]:
    """What is left at the end with two layers swapped, for each pair, and with one
    layer repeated."""
    n = len(layers)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    return {
        "swapped": np.array([left_by(swapped(layers, *p), test)[-1] for p in pairs]),
        "repeated": np.array(
            [left_by(repeated(layers, i), test)[-1] for i in range(n)]
        ),
    }


def halved(layers: Layers, test: Prompts) -> dict[str, np.ndarray]:
    """1, 2, 4 ... smaller layers in place of each: what is left at the end, and how far
    the answer is from that of the finest, as a share of the answers' size."""
    folded, size = fold(test.tokens()), test.answer.square().mean()
    ends = torch.stack([walk(folded, refined(layers, k), 1 / k)[-1] for k in PARTS])
    off = ((ends[:-1] - ends[-1]).square().mean(1) / size).sqrt()
    left = (ends - test.answer).square().mean(1) / size
    return {"fine_off": or_infinity(off), "fine_left": or_infinity(left)}


# --8<-- [end:changes]


# --8<-- [start:exact]
def exactly(stack: Stack, test: Prompts, Sigma: Float[Tensor, "d d"]) -> dict:
    """The largest differences in float64: the blocks' writes, read off a network with
    tokens, against the answer; and steps in one order against the other."""
    d, some = len(Sigma), Prompts(test.x[:100], test.y[:100], test.w[:100])
    layers, tokens = stack.layers(), some.tokens()
    total = torch.zeros_like(some.answer)
    for V, W in layers:
        block = SimpleTransformer(1, d, Generator()).double()
        block.set_layer(0, V, W, torch.eye(d + 1, dtype=V.dtype))
        after = walk_tokens(block, tokens)
        total, tokens = total - (after - tokens)[:, -1, -1], after
    folded = fold(some.tokens())
    sizes, _ = best_steps.best_step_sizes(test.x.shape[1] - 1, d, len(layers))
    inverse = torch.linalg.inv(Sigma)
    built = []
    for size in sizes:
        V, Q, K = one_step(size * inverse)
        built.append((V, K.mT @ Q))
    there, back = walk(folded, built)[-1], walk(folded, built[::-1])[-1]
    return {
        "sum_off": (total - walk(folded, layers)[-1]).abs().max().item(),
        "order_off": (there - back).abs().max().item(),
    }


def walk_tokens(block: SimpleTransformer, Z: Tensor) -> Tensor:
    """What one layer makes of all tokens, not of the query alone."""
    W_V, W_Q, W_K = block.W_V[0, 0], block.W_Q[0, 0], block.W_K[0, 0]
    scores = (Z @ W_Q.mT) @ (Z[:, :-1] @ W_K.mT).mT
    return Z + block.h(scores) @ (Z[:, :-1] @ W_V.mT)


# --8<-- [end:exact]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    turning, exam, *rest = streams(seed, 6)
    d = len(config.lam)
    U = random_rotation(d, turning, torch.float64)
    Sigma = U @ torch.tensor(config.lam, dtype=torch.float64).diag() @ U.mT
    roots = {"x_root": root(Sigma), "w_root": torch.linalg.inv(root(Sigma))}
    test, spectra = tame(draw(config.n_test, config, exam, roots), Sigma)
    found = oracles_on(test, spectra, config)
    for index, kind in enumerate(KINDS):
        stack = started(config, kind == "looped", rest[2 * index]).double()
        train(stack, config, rest[2 * index + 1], roots, index)
        with torch.no_grad():
            layers = stack.layers()
            found[f"{kind}_left"] = left_by(layers, test)
            measured = boosting(layers, test) | halved(layers, test)
            if kind == "looped":
                found["loops_left"] = left_by(layers[:1] * config.more_loops, test)
            else:
                measured |= reordered(layers, test) | exactly(stack, test, Sigma)
        found |= {f"{kind}_{key}": value for key, value in measured.items()}
    return found


def draw(n: int, config: Config, generator: Generator, roots: dict) -> Prompts:
    d = len(config.lam)
    return draw_prompts(n, config.n, d, generator, **roots, dtype=torch.float64)


def tame(test: Prompts, Sigma: Tensor) -> tuple[Prompts, Tensor]:
    """The prompts without the one in a hundred with the largest eigenvalue of C."""
    spectra = by_layer.spectra_of(test.x[:, :-1], Sigma)
    kept = spectra[:, -1] < spectra[:, -1].quantile(0.99)
    return Prompts(test.x[kept], test.y[kept], test.w[kept]), spectra[kept]


def oracles_on(test: Prompts, spectra: Tensor, config: Config) -> dict:
    """What algorithms leave after 0, 1, 2 ... steps, on the same prompts."""
    counts, n_layers = range(1, config.n_layers + 1), config.n_layers
    bent = [
        step_sizes.fitted(
            spectra, torch.tensor([start], dtype=torch.float64), n_layers, True
        )
        for start in ([1.0, 0.1], [1.7, 0.17])
    ]
    losses = [step_sizes.loss(spectra, b.expand(n_layers, 2)).item() for b in bent]
    return {
        "plain": np.array(
            [1.0, *(by_layer.least_left_plain(test.x, test.w, k) for k in counts)]
        ),
        "shaped": np.array([1.0, *(by_layer.least_left(spectra, k) for k in counts)]),
        "greedy": np.array([1.0, *by_layer.greedy_left(spectra, n_layers)]),
        "bent": min(losses),
    }


# --8<-- [end:run]


def end(m: Measurements, kind: str) -> float:
    return float(m[f"{kind}_left"][-1])


def fine_order(m: Measurements, kind: str) -> float:
    """The exponent p in off ~ (1/k - 1/64)^p for 2 to 32 layers in place of one."""
    k = np.array(PARTS[1:-1])
    x, y = np.log(1 / k - 1 / PARTS[-1]), np.log(m[f"{kind}_fine_off"][1:])
    return float(np.polyfit(x, y, 1)[0])


def finer(m: Measurements, kind: str, which: int) -> float:
    return float(m[f"{kind}_fine_left"][which] / m[f"{kind}_fine_left"][0])


# fmt: off
CLAIMS = [
    Claim("sum", lambda m: float(m["unlooped_sum_off"]), equals(0, 1e-10), "",
          "What the four blocks write, each read off a network with tokens, adds up to the answer.", exact=True),
    Claim("order-free", lambda m: float(m["unlooped_order_off"]), equals(0, 1e-10), "",
          "Four constructed steps of different sizes give one answer in either order.", exact=True),
    Claim("each-improves", lambda m: float((m["unlooped_left"][1:] / m["unlooped_left"][:-1]).max()), below(0.5),
          "of the error", "In the unlooped stack each block leaves less than half of the error that it found."),
    Claim("first-worse", lambda m: float(m["looped_left"][1]), above(2), "times",
          "In the looped stack the error after one block is more than twice that of the answer 0."),
    Claim("unlooped-end", lambda m: end(m, "unlooped") / float(m["shaped"][-1]), below(0.2), "of the error",
          "The unlooped stack ends below a fifth of what any four preconditioned steps leave."),
    Claim("looped-end", lambda m: end(m, "looped") / float(m["shaped"][-1]), below(0.3), "of the error",
          "The looped one ends below three tenths of it."),
    Claim("beats-plain", lambda m: end(m, "looped") / float(m["plain"][-1]), below(0.1), "of the error",
          "The looped stack leaves less than a tenth of what any four plain steps leave."),
    Claim("agrees", lambda m: float(min(m["looped_agrees"].min(), m["unlooped_agrees"].min())), above(0.75), "",
          "What a block writes agrees with what is left: the cosine of the two is above 0.75 in each of the eight."),
    Claim("overshoots", lambda m: float(m["looped_should"][0]), below(0.5), "of what it writes",
          "The looped stack's first block should write less than half of it, to leave the least right away."),
    Claim("greedy", lambda m: float(m["greedy"][-1] / m["shaped"][-1]), above(2.5), "times",
          "Four steps, each the best for itself, leave more than 2.5 times what the best four together leave."),
    Claim("swap", lambda m: float(m["unlooped_swapped"].min()) / end(m, "unlooped"), above(4), "times",
          "The least harmful swap of two unlooped layers leaves more than four times the error."),
    Claim("swap-ends", lambda m: float(np.log10(m["unlooped_swapped"].max())), above(2), "",
          "The most harmful swap leaves more than 100 times the error of the answer 0."),
    Claim("repeat-last", lambda m: float(m["unlooped_repeated"][-1]) / end(m, "unlooped"), below(1), "of the error",
          "The last unlooped layer taken once more leaves less error than before."),
    Claim("loop-on", lambda m: float(m["loops_left"][8] / m["loops_left"][4]), below(0.4), "of the error",
          "Looped twice as often as in training, the stack leaves less than four tenths of the error."),
    Claim("half-looped", lambda m: finer(m, "looped", 1), above(1.3), "times",
          "Twice the layers with half the step leave more than 1.3 times the error of the trained looped stack."),
    Claim("half-unlooped", lambda m: finer(m, "unlooped", 1), above(3), "times",
          "In the unlooped stack they leave more than three times the error."),
    Claim("flow-looped", lambda m: finer(m, "looped", -1), above(2), "times",
          "With 64 small layers in place of each the looped stack leaves more than twice its error."),
    Claim("flow-unlooped", lambda m: finer(m, "unlooped", -1), above(5), "times",
          "The unlooped one leaves more than five times its error."),
    Claim("first-order", lambda m: fine_order(m, "looped"), between(0.85, 1.15), "",
          "The trained looped stack comes to its own limit as 1 / k: the exponent is near 1."),
]
# fmt: on
