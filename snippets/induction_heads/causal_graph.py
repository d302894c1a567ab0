"""Can the first layer of a transformer learn who depends on whom?

Source: nichani2024, abstract; task, network and zero initialisation as in the released
code (single_parent.py, problems.py). Here: 3 symbols and 16 tokens instead of 10 and
20, roots drawn evenly instead of from the long run, batches of 128 instead of 1,024,
momentum 0.9, and 768 steps instead of 131,072. The `paper` preset has the source's.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_least,
    below,
    between,
)
from snippets.icl.networks.disentangled import Disentangled
from snippets.icl.streams import as_numpy, streams
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    k: int = 3  # symbols
    n_tokens: int = 16  # the last one is the question
    concentration: float = 0.1  # of the Dirichlet rows: small, so nearly deterministic
    batch: int = 128
    learning_rate: float = 1.0  # of SGD; it falls to zero as a cosine
    momentum: float = 0.9
    adam_rates: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0)  # all are shown
    n_steps: int = 768
    evaluate_every: int = 32
    n_test: int = 2048
    n_gradient: int = 8192  # sequences that the gradient at the start is taken over


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        k=10, n_tokens=20, batch=1024, momentum=0.0, n_steps=2**17, evaluate_every=1024
    ),
}


# --8<-- [start:task]
Graph = list[int]  # the parent of each token but the last; -1 for a root


def random_graph(n_tokens: int, random: np.random.Generator) -> Graph:
    """Each token's parent is one of those before it, or none, all alike."""
    return [int(random.integers(-1, i)) for i in range(n_tokens - 1)]


@dataclass(frozen=True)
class Batch:
    tokens: Int[Tensor, "batch pos"]
    truth: Float[Tensor, "batch k"]  # what may follow the last token


def sample(config: Config, graph: Graph, n: int, random: np.random.Generator) -> Batch:
    """n sequences of one graph, each with a chain of its own. A token follows its
    parent as in a Markov chain. The last one is drawn evenly: what would follow it, had
    it a child?"""
    k, every = config.k, np.arange(n)
    table = random.dirichlet(np.full(k, config.concentration), (n, k))
    tokens: list[np.ndarray] = []
    for parent in [*graph, -1]:
        row = table[every, tokens[parent]] if parent >= 0 else np.full((n, k), 1 / k)
        # the next symbol is how many of the row's running sums a random number passes
        passed = random.random((n, 1)) > row.cumsum(-1)[:, :-1]
        tokens.append(passed.sum(-1))
    truth = table[every, tokens[-1]]
    return Batch(torch.from_numpy(np.stack(tokens, 1)), torch.from_numpy(truth).float())


# --8<-- [end:task]


# --8<-- [start:bayes]
def bayes(
    tokens: Int[Tensor, "batch pos"], graph: Graph, k: int, concentration: float
) -> Float[Tensor, "batch k"]:
    """Count the children of tokens like the last one, add the prior's share."""
    counts = torch.full((len(tokens), k), concentration)
    for child, parent in enumerate(graph):
        if parent >= 0:
            alike = tokens[:, parent] == tokens[:, -1]
            counts += F.one_hot(tokens[:, child], k) * alike[:, None]
    return counts / counts.sum(-1, keepdim=True)


# --8<-- [end:bayes]


# --8<-- [start:gradient]
def gradient_at_start(network: Disentangled, batch: Batch) -> Float[Tensor, "pos pos"]:
    """Which way descent pushes the attention of each position to each, in a network
    whose first layer is zero still, and whose second begins to compare and to copy."""
    _, compares, says = network.blocks()
    with torch.no_grad():
        compares.copy_(0.1 * torch.eye(network.k))
        says.copy_(torch.eye(network.k))
    loss = F.cross_entropy(network(batch.tokens)[0], batch.truth)
    (slope,) = torch.autograd.grad(loss, network.A1)
    # a token that sees i others gives each 1/i: undo that, so that rows compare
    places = torch.arange(1, network.n_tokens + 1)[:, None]
    return -slope[network.k :, network.k :] * places


# --8<-- [end:gradient]


# --8<-- [start:train]
def train(
    config: Config, graph: Graph, data: np.random.Generator, test: Batch
) -> tuple[list[Disentangled], dict[str, np.ndarray]]:
    """One network by SGD and one by Adam at each rate, all on the same sequences; their
    losses, and the size of each matrix of the first at every step."""
    rates = config.adam_rates
    networks = [Disentangled(config.k, config.n_tokens) for _ in (0, *rates)]
    by_sgd = torch.optim.SGD(
        networks[0].parameters(), config.learning_rate, momentum=config.momentum
    )
    by_adam = [
        torch.optim.Adam(network.parameters(), rate, fused=True)
        for network, rate in zip(networks[1:], rates)
    ]
    optimisers = (by_sgd, *by_adam)
    schedules = [
        torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.n_steps)
        for optimiser in optimisers
    ]
    losses, sizes = [], []
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            losses.append(evaluate(networks, test))
        sizes.append(
            [float(matrix.detach().norm()) for matrix in networks[0].parameters()]
        )
        if step % 32 == 0:  # 32 batches at a time: sampling is quicker so
            block = sample(config, graph, 32 * config.batch, data)
        now = slice(step % 32 * config.batch, (step % 32 + 1) * config.batch)
        for network, optimiser, schedule in zip(networks, optimisers, schedules):
            loss = F.cross_entropy(network(block.tokens[now])[0], block.truth[now])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return networks, {"losses": np.array(losses).T, "sizes": np.array(sizes)}


# --8<-- [end:train]


@torch.no_grad()
def evaluate(networks: list[Disentangled], test: Batch) -> list[float]:
    """Loss of each network against the true row, not a draw from it."""
    return [float(F.cross_entropy(n(test.tokens)[0], test.truth)) for n in networks]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    shape, data, held_out, start = (as_numpy(s) for s in streams(seed, 4))
    graph = random_graph(config.n_tokens, shape)
    test = sample(config, graph, config.n_test, held_out)
    gradient = gradient_at_start(
        Disentangled(config.k, config.n_tokens),
        sample(config, graph, config.n_gradient, start),
    )
    networks, curves = train(config, graph, data, test)

    guess = bayes(test.tokens, graph, config.k, config.concentration)
    with torch.no_grad():
        layers = [network(test.tokens)[1].mean(0) for network in networks]
    m = {
        "step": np.arange(0, config.n_steps + 1, config.evaluate_every),
        **curves,
        "bayes": float(-(test.truth * guess.log()).sum(-1).mean()),
        "uniform": float(np.log(config.k)),
        "parent": np.array(graph),
        "gradient": gradient.numpy(),
        "first_layer": torch.stack(layers).numpy(),  # (network, child, parent)
        "match": content_match(networks[0]),
    }
    return m | summary(m)


# --8<-- [end:run]


def content_match(network: Disentangled) -> float:
    """Cosine between the identity and the block of A2 that compares the last token's
    symbol with what the first layer brought to a token, both without their means."""
    block, same = network.blocks()[1].detach(), torch.eye(network.k)
    block, same = block - block.mean(), same - same.mean()
    return float((block * same).sum() / (block.norm() * same.norm()))


# --8<-- [start:derived]
def children(m: Measurements) -> np.ndarray:
    """The tokens that have a parent."""
    return np.flatnonzero(m["parent"] >= 0)


def recovered(m: Measurements, scores: np.ndarray) -> float:
    """Share of children whose parent has the largest score of all tokens they see."""
    right = [scores[i, : i + 1].argmax() == m["parent"][i] for i in children(m)]
    return float(np.mean(right))


def on_parents(m: Measurements, network: int) -> float:
    """Mean attention of a child to its parent. Network 0 is SGD's."""
    rows = children(m)
    return float(m["first_layer"][network][rows, m["parent"][rows]].mean())


def gaps(m: Measurements) -> np.ndarray:
    """Loss above the Bayes line at the end, as a share of the way from uniform, of each
    network."""
    return (m["losses"][:, -1] - m["bayes"]) / (m["uniform"] - m["bayes"])


def best_adam(m: Measurements) -> int:
    """Which network is the best of Adam's, by the loss on the test sequences."""
    return 1 + int(gaps(m)[1:].argmin())


# --8<-- [end:derived]


def summary(m: Measurements) -> dict[str, float]:
    """Numbers that the page prints beside its claims."""
    best, small = best_adam(m), 1  # small: the least of the rates
    found: dict[str, float] = {
        "on_parents": on_parents(m, 0),
        "even_on_parents": float((1 / (children(m) + 1)).mean()),
    }
    for name, network in (("best", best), ("small", small)):
        found[f"{name}_on_parents"] = on_parents(m, network)
        found[f"{name}_gap"] = float(gaps(m)[network])
        found[f"{name}_recovered"] = recovered(m, m["first_layer"][network])
    found["best_rate"] = PRESETS["laptop"].adam_rates[best - 1]
    return found


def grown_at(m: Measurements, index: int) -> int:
    """The step at which a matrix (0: A1, 1: A2, 2: W) has a tenth of its last size."""
    size = m["sizes"][:, index]
    return int(np.flatnonzero(size >= 0.1 * size[-1])[0])


def grown_apart(m: Measurements) -> float:
    """How many steps A1 comes after A2, or A2 after W, whichever is fewer."""
    A1, A2, W = (grown_at(m, index) for index in range(3))
    return float(min(A1 - A2, A2 - W))


def with_and_without(m: Measurements) -> float:
    """Mean gap of the networks that found less than half of the graph, over that of
    those that found more."""
    found = np.array([recovered(m, layer) for layer in m["first_layer"]]) > 0.5
    return float(gaps(m)[~found].mean() / gaps(m)[found].mean())


# fmt: off
CLAIMS = [
    Claim("gradient", lambda m: recovered(m, m["gradient"]), above(0.95), "of children",
          "At the start, of all tokens that a child sees, descent pushes its attention most to its own parent.",
          Reported("nichani2024", "abstract", "the gradient is largest on the edges of the graph", SMALLER)),
    Claim("graph", lambda m: recovered(m, m["first_layer"][0]), above(0.8), "",
          "In the first layer more than eight in ten children attend most to their own parent.",
          Reported("nichani2024", "abstract", "the first attention layer encodes the latent causal graph", SMALLER)),
    Claim("bayes", lambda m: float(gaps(m)[0]), between(0, 0.12), "of the way",
          "The loss ends above the Bayes line, by less than an eighth of the way from it to an even guess."),
    Claim("match", lambda m: m["match"], above(0.9), "",
          "The second layer compares symbols: its block has a cosine over 0.9 with the identity.", digits=3),
    Claim("order", grown_apart, at_least(1), "steps",
          "From zero the matrices grow one after the other: W, then A2, then A1."),
    Claim("untuned", lambda m: m["small_gap"] / float(gaps(m)[0]), above(1), "times as far",
          "Adam at 0.01 ends further above the Bayes line than SGD on the same sequences."),
    Claim("tuned", lambda m: m["best_gap"] / float(gaps(m)[0]), below(2), "times as far",
          "Adam at the best of five rates ends less than twice as far above the Bayes line as SGD."),
    Claim("worse-without", with_and_without, above(1.5), "times the gap",
          "Networks that have not found half of the graph end farther from the Bayes line than those that have."),
]
# fmt: on
