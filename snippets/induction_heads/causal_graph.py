"""Can the first layer of a transformer learn who depends on whom?

Source: nichani2024, abstract; task, network and zero initialisation as in the released
code (single_parent.py, problems.py). Here: 3 symbols and 16 tokens instead of 10 and
20, roots drawn evenly instead of from the long run, batches of 256 instead of 1,024,
momentum 0.9, and 1,536 steps instead of 131,072. The `paper` preset has the source's.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from snippets import style
from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_least,
    between,
)
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    k: int = 3  # symbols
    n_tokens: int = 16  # the last one is the question
    concentration: float = 0.1  # of the Dirichlet rows: small, so nearly deterministic
    batch: int = 256
    learning_rate: float = 1.0  # of SGD; it falls to zero as a cosine
    momentum: float = 0.9
    adam_rate: float = 0.01
    n_steps: int = 1536
    evaluate_every: int = 32
    n_test: int = 2048


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        k=10, n_tokens=20, batch=1024, momentum=0.0, n_steps=2**17, evaluate_every=1024
    ),
}


# --8<-- [start:task]
Graph = list[int]  # the parent of each token but the last; -1 for a root


def random_graph(n_tokens: int, generator: Generator) -> Graph:
    """Each token's parent is one of those before it, or none, all alike."""
    draws = [
        torch.randint(-1, i, (1,), generator=generator) for i in range(n_tokens - 1)
    ]
    return [int(draw) for draw in draws]


@dataclass(frozen=True)
class Batch:
    tokens: Int[Tensor, "batch token"]
    truth: Float[Tensor, "batch k"]  # what may follow the last token


class World:
    """One graph for all sequences, and a new chain for each."""

    def __init__(self, config: Config, seed: int) -> None:
        self.config = config
        self.generator = torch.Generator().manual_seed(seed)
        self.rows = np.random.default_rng(seed)  # torch has no seeded Dirichlet
        self.graph = random_graph(config.n_tokens, self.generator)

    def sample(self, n: int) -> Batch:
        """A token follows its parent as in a Markov chain. The last one is drawn
        evenly: what would follow it, had it a child?"""
        k = self.config.k
        concentration = np.full(k, self.config.concentration)
        table = torch.from_numpy(self.rows.dirichlet(concentration, (n, k))).float()
        every, even = torch.arange(n), torch.full((n, k), 1 / k)
        tokens: list[Tensor] = []
        for parent in [*self.graph, -1]:
            row = even if parent < 0 else table[every, tokens[parent]]
            uniform = torch.rand(n, 1, generator=self.generator)
            tokens.append((uniform > row.cumsum(-1)[:, :-1]).sum(-1))
        return Batch(torch.stack(tokens, 1), table[every, tokens[-1]])


# --8<-- [end:task]


# --8<-- [start:bayes]
def bayes(
    tokens: Int[Tensor, "batch token"], graph: Graph, k: int, concentration: float
) -> Float[Tensor, "batch k"]:
    """Count the children of tokens like the last one, add the prior's share."""
    counts = torch.full((len(tokens), k), concentration)
    for child, parent in enumerate(graph):
        if parent >= 0:
            alike = tokens[:, parent] == tokens[:, -1]
            counts += F.one_hot(tokens[:, child], k) * alike[:, None]
    return counts / counts.sum(-1, keepdim=True)


# --8<-- [end:bayes]


# --8<-- [start:network]
class Disentangled(nn.Module):
    """Two attention layers that never add: each writes its output beside its input.

    A token starts as one-hot symbol and one-hot position. All weights start at zero.
    """

    def __init__(self, k: int, n_tokens: int) -> None:
        super().__init__()
        d = k + n_tokens
        self.k, self.n_tokens = k, n_tokens
        self.A1 = nn.Parameter(torch.zeros(d, d))
        self.A2 = nn.Parameter(torch.zeros(2 * d, 2 * d))
        self.W = nn.Parameter(torch.zeros(4 * d, k))

    def forward(
        self, tokens: Int[Tensor, "batch token"]
    ) -> tuple[Float[Tensor, "batch k"], Float[Tensor, "batch query key"]]:
        """Logits of what follows the last token, and the first layer's attention."""
        if tokens.shape[1] != self.n_tokens:
            raise ValueError(
                f"this network reads {self.n_tokens} tokens, not {tokens.shape[1]}"
            )
        symbol = F.one_hot(tokens, self.k).float()
        position = torch.eye(self.n_tokens).expand(len(tokens), -1, -1)
        x = torch.cat([symbol, position], -1)  # (batch, token, d)

        hidden = torch.ones(self.n_tokens, self.n_tokens).triu(1).bool()
        scores = ((x @ self.A1) @ x.mT).masked_fill(hidden, -torch.inf)
        first = scores.softmax(-1)
        h = torch.cat([x, first @ x], -1)  # (batch, token, 2 d)

        last = h[:, -1:]  # only the last token asks
        second = ((last @ self.A2) @ h.mT).softmax(-1)
        z = torch.cat([last, second @ h], -1)[:, 0]  # (batch, 4 d)
        return z @ self.W, first


# --8<-- [end:network]


def expected_loss(
    logits: Float[Tensor, "batch k"], truth: Float[Tensor, "batch k"]
) -> Float[Tensor, ""]:
    """Cross-entropy against the true row, not a draw from it."""
    return F.cross_entropy(logits, truth)


# --8<-- [start:train]
def train(
    config: Config, seed: int, optimiser: str, loop: int
) -> tuple[Disentangled, dict[str, np.ndarray]]:
    """A network trained by 'sgd' or 'adam' on the same graph and data, its losses, and
    the size of each of its matrices at every step."""
    world = World(config, seed)
    test = world.sample(config.n_test)
    network = Disentangled(config.k, config.n_tokens)
    matrices = list(network.parameters())  # A1, A2, W
    optimizer: torch.optim.Optimizer
    if optimiser == "sgd":
        rate, momentum = config.learning_rate, config.momentum
        optimizer = torch.optim.SGD(matrices, rate, momentum=momentum)
    else:
        optimizer = torch.optim.Adam(matrices, config.adam_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.n_steps)

    losses, sizes = [], []
    for step in steps(config.n_steps + 1, loop=loop, of=2):
        with torch.no_grad():
            sizes.append([float(matrix.norm()) for matrix in matrices])
            if step % config.evaluate_every == 0:
                losses.append(float(expected_loss(network(test.tokens)[0], test.truth)))
        batch = world.sample(config.batch)
        loss = expected_loss(network(batch.tokens)[0], batch.truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network, {"loss": np.array(losses), "sizes": np.array(sizes)}


# --8<-- [end:train]


def run(config: Config, seed: int) -> Measurements:
    network, by_sgd = train(config, seed, "sgd", loop=0)
    other, by_adam = train(config, seed, "adam", loop=1)

    world = World(config, seed)  # the same graph
    test = world.sample(config.n_test)
    guess = bayes(test.tokens, world.graph, config.k, config.concentration)
    with torch.no_grad():
        first = network(test.tokens)[1].mean(0)
        adam_first = other(test.tokens)[1].mean(0)
    m = {
        "step": np.arange(0, config.n_steps + 1, config.evaluate_every),
        "loss": by_sgd["loss"],
        "adam_loss": by_adam["loss"],
        "sizes": by_sgd["sizes"],
        "bayes": float(-(test.truth * guess.log()).sum(-1).mean()),
        "uniform": float(np.log(config.k)),
        "parent": np.array(world.graph),
        "first_layer": first.numpy(),
        "adam_first_layer": adam_first.numpy(),
        "match": content_match(network),
    }
    return {
        **m,
        "on_parents": on_parents(m, "first_layer"),
        "adam_on_parents": on_parents(m, "adam_first_layer"),
        "adam_gap_left": gap_left(m, "adam_loss"),
        "even_on_parents": float((1 / (children(m) + 1)).mean()),
    }


# --8<-- [start:derived]
def children(m: Measurements) -> np.ndarray:
    """The tokens that have a parent."""
    return np.flatnonzero(m["parent"] >= 0)


def recovered(m: Measurements, name: str) -> float:
    """Share of children that attend to their parent more than to any other token."""
    rows = children(m)
    most = m[name][rows].argmax(1)
    return float((most == m["parent"][rows]).mean())


def on_parents(m: Measurements, name: str) -> float:
    """Mean attention of a child to its parent."""
    rows = children(m)
    return float(m[name][rows, m["parent"][rows]].mean())


def gap_left(m: Measurements, name: str) -> float:
    """Loss above the Bayes line at the end, as a share of the way from uniform."""
    return float((m[name][-1] - m["bayes"]) / (m["uniform"] - m["bayes"]))


def content_match(network: Disentangled) -> float:
    """Cosine between the identity and the block of A2 that compares the last token's
    symbol with what the first layer brought to a token, both without their means."""
    k, d = network.k, network.k + network.n_tokens
    block = network.A2.detach()[:k, d : d + k]
    block, same = block - block.mean(), torch.eye(k) - 1 / k
    return float((block * same).sum() / (block.norm() * same.norm()))


def grown_at(m: Measurements, index: int) -> int:
    """The step at which a matrix (0: A1, 1: A2, 2: W) has a tenth of its last size."""
    size = m["sizes"][:, index]
    return int(np.flatnonzero(size >= 0.1 * size[-1])[0])


def grown_apart(m: Measurements) -> float:
    """How many steps A1 comes after A2, or A2 after W, whichever is fewer."""
    A1, A2, W = (grown_at(m, index) for index in range(3))
    return float(min(A1 - A2, A2 - W))


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("graph", lambda m: recovered(m, "first_layer"), above(0.8), "",
          "In the first layer more than eight in ten children attend most to their own parent.",
          Reported("nichani2024", "abstract", "the first attention layer encodes the latent causal graph", SMALLER)),
    Claim("bayes", lambda m: gap_left(m, "loss"), between(0, 0.1), "of the way",
          "The loss ends above the Bayes line, by less than a tenth of the way from it to an even guess."),
    Claim("match", lambda m: m["match"], above(0.9), "",
          "The second layer compares symbols: its block has a cosine over 0.9 with the identity.",
          digits=3),
    Claim("order", grown_apart, at_least(2), "steps",
          "From zero the matrices grow one after the other, W, then A2, then A1, at least two steps apart."),
    Claim("adam", lambda m: gap_left(m, "adam_loss") / gap_left(m, "loss"), above(1), "times as far",
          "Trained by Adam on the same sequences, the network ends further above the Bayes line than by SGD."),
]
# fmt: on


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"graph": draw_graph(runs[:2]), "loss": draw_loss(runs)}


def draw_graph(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(len(runs), 3, height=1.75)
    for row, m in zip(axes, runs):
        n = len(m["parent"])
        adjacency = np.zeros((n, n))
        rows = children(m)
        adjacency[rows, m["parent"][rows]] = 1
        maps = (adjacency, m["first_layer"][:n, :n], m["adam_first_layer"][:n, :n])
        for ax, values in zip(row, maps):
            ax.imshow(values, vmin=0, vmax=1, interpolation="none")
            ax.grid(False)
            ax.set_xticks([0, 5, 10], ["1", "6", "11"])
            ax.set_yticks([0, 5, 10], ["1", "6", "11"])
    for ax, title in zip(axes[0], ("the graph", "layer 1, SGD", "layer 1, Adam")):
        ax.set_title(title)
    for index, row in enumerate(axes):
        row[0].set_ylabel(f"seed {index}: child")
    axes[-1, 1].set_xlabel("token attended to, or parent")
    return figure


def draw_loss(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    for index, name, label, line in (
        (0, "loss", "SGD", "-"),
        (1, "adam_loss", "Adam", "--"),
    ):
        excess = [m[name] - m["bayes"] for m in runs]
        style.seeds_and_median(top, x, excess, index, label, linestyle=line)
    style.level(top, 0, "Bayes", below=True)
    top.set(xlabel="training step", ylabel="loss above Bayes", ylim=(-0.06, 0.7))
    top.legend(loc="upper right")
    for index, label in ((2, "W"), (1, "A2"), (0, "A1")):
        shares = [m["sizes"][1:, index] / m["sizes"][-1, index] for m in runs]
        shown = np.unique(np.geomspace(1, len(shares[0]), 120).astype(int)) - 1
        ys = [share[shown] for share in shares]
        style.seeds_and_median(bottom, shown + 1, ys, index + 2, label)
    bottom.set(xscale="log", xlabel="training step", ylabel="size, share of the last")
    bottom.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    bottom.legend(loc="upper left")
    return figure
