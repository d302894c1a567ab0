"""Told that a stands in a relation to b, what does a network say of b?

By what it knows of the relation, or by what the prompt shows of it?

Source: the task is ours. Relations are the semantic kind of chapter 1: a prompt that
cannot be answered by its form alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.relations import (
    LAWS,
    NOBODY,
    Facts,
    Words,
    ask,
    bayes,
    draw_facts,
    draw_laws,
)
from snippets.icl.tasks.symbols import points, shuffled
from snippets.icl.training.fresh_batches import train, trained


@dataclass(frozen=True)
class Config:
    n_known: int  # relations that stay the same through training
    new_share: float  # of the training steps: relations made for the step alone
    n_pairs: int = 4  # of each of a prompt's two relations
    n_entities: int = 24
    d: int = 16  # entries of a symbol's vector
    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 2
    learning_rate: float = 3e-3
    batch: int = 32
    n_steps: int = 500
    n_test: int = 128  # prompts of each kind


PRESETS = {
    "laptop": {
        "k6": Config(6, 0.0),
        "k384": Config(384, 0.0),
        "new": Config(6, 1.0),
        "both": Config(24, 0.5),
    }
}
SHOWN = range(4)  # of a relation's 4 pairs, how many a prompt shows both ways


# --8<-- [start:world]
class World:
    """What stays the same: known relations with their laws, known entities, nobody."""

    def __init__(self, config: Config, fixed: Generator, data: Generator) -> None:
        if config.n_known % len(LAWS):
            raise ValueError(f"n_known = {config.n_known}: a multiple of {len(LAWS)}")
        self.config, self.generator = config, data
        self.entities = points(config.n_entities + 1, config.d, fixed)  # nobody first
        self.relations = points(config.n_known, config.d, fixed)
        self.laws = torch.tensor(list(LAWS.values())).repeat(config.n_known // 3)

    def words(self, known: bool, batch: int) -> Words:
        """The known relations, or a new one for each place of each prompt."""
        new = points(2 * batch, self.config.d, self.generator)
        return Words(self.entities, self.relations if known else new)

    def training(self) -> tuple[Words, Facts, Int[Tensor, "batch query"]]:
        """Two relations a prompt, each shown both ways in 0 to 3 of its 4 pairs."""
        c, g = self.config, self.generator
        known = bool(torch.rand((), generator=g) >= c.new_share)
        n_shown = int(torch.randint(c.n_pairs, (), generator=g))
        if known:
            named = shuffled(c.n_known, c.batch, g)[:, :2]
            laws = self.laws[named]
        else:
            named = torch.arange(2 * c.batch).view(c.batch, 2)
            laws = draw_laws(c.batch, 2, generator=g)
        facts, answer, _ = draw_facts(
            named, laws, c.n_pairs, n_shown, c.n_entities + 1, g
        )
        return self.words(known, c.batch), facts, answer

    # --8<-- [end:world]

    # --8<-- [start:probe]
    def probe(
        self, known: bool, means: float, shows: float, n_shown: int
    ) -> tuple[Words, Facts, Int[Tensor, "batch query"]]:
        """Prompts about relations whose law is `means`, shown as if it were `shows`;
        and the partners."""
        c, g = self.config, self.generator
        named = torch.arange(2 * c.n_test).view(c.n_test, 2)
        if known:
            same = (self.laws == means).nonzero()[:, 0]
            named = same[shuffled(len(same), c.n_test, g)[:, :2]]
        laws = torch.full((c.n_test, 2), shows)
        facts, _, partner = draw_facts(
            named, laws, c.n_pairs, n_shown, c.n_entities + 1, g
        )
        return self.words(known, c.n_test), facts, partner

    # --8<-- [end:probe]


# --8<-- [start:measure]
def answers(
    network: MaskedTransformer,
    words: Words,
    facts: Facts,
    partner: Int[Tensor, "batch query"],
) -> tuple[float, float]:
    """The chance that the network gives the partner, and the chance of nobody."""
    chances = ask(network, words, facts).softmax(-1)
    named = chances.gather(-1, partner[..., None])
    return named.mean().item(), chances[..., NOBODY].mean().item()


def evaluate(network: MaskedTransformer, world: World) -> Measurements:
    """(known or new, law, shown): partner and nobody; and known relations shown as
    what they are not."""
    laws, result = list(LAWS.values()), {}
    table = np.array(
        [
            [
                [answers(network, *world.probe(known, p, p, n)) for n in SHOWN]
                for p in laws
            ]
            for known in (True, False)
        ]
    )
    result["partner"], result["nobody"] = np.moveaxis(table, -1, 0).astype("float32")
    turned = [(1.0, 0.0), (0.0, 1.0)]  # mutual shown as one-way, and the other way
    result["against"] = np.array(
        [
            [answers(network, *world.probe(True, *law, n))[0] for n in SHOWN]
            for law in turned
        ],
        "float32",
    )
    return result


# --8<-- [end:measure]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, fixed, data, test = streams(seed, 4)
    c, world = config, World(config, fixed, data)
    network = MaskedTransformer(4 * c.d, c.d, c.d_model, c.n_layers, c.n_heads, weights)

    def batch_loss() -> Float[Tensor, ""]:
        words, facts, answer = world.training()
        logits = ask(network, words, facts)
        return F.cross_entropy(logits.flatten(0, 1), answer.flatten())

    trained(network, train(network, batch_loss, c.n_steps, c.learning_rate))
    world.generator = test
    n_parameters = sum(p.numel() for p in network.parameters())
    found = evaluate(network, world)
    mutual, one_way = found["partner"][1, :2, -1]  # of a new relation, all pairs shown
    return {**found, "apart": float(mutual - one_way), "n_parameters": n_parameters}


# --8<-- [end:run]
MUTUAL, ONE_WAY, LAWLESS = range(3)
KNOWN, NEW = range(2)


def told_apart(cell: str, kind: int, n_shown: int) -> Callable[[Measurements], float]:
    """By how much a mutual relation is returned more often than a one-way one."""

    def value(m: Measurements) -> float:
        partner = m[cell]["partner"][kind, :, n_shown]
        return float(partner[MUTUAL] - partner[ONE_WAY])

    return value


def expected() -> Float[np.ndarray, "law shown"]:
    """What Bayes' rule says of a new relation, on average over what each law shows."""
    laws, table = list(LAWS.values()), np.zeros((len(LAWS), len(SHOWN)))
    for n in SHOWN:
        counts = torch.arange(n + 1.0)
        says = bayes(counts, torch.full_like(counts, n)).numpy()
        ways = np.array([math.comb(n, s) for s in range(n + 1)])
        for row, p in enumerate(laws):
            s = np.arange(n + 1)
            table[row, n] = (ways * p**s * (1 - p) ** (n - s) * says).sum()
    return table


def off_bayes(m: Measurements) -> float:
    return float(np.abs(m["new"]["partner"][NEW] - expected()).max())


def turned(cell: str, row: int) -> Callable[[Measurements], float]:
    """The chance of the partner when three pairs show a known relation as the other."""
    return lambda m: float(m[cell]["against"][row, -1])


def yields(m: Measurements) -> float:
    """How much three contradicting pairs take off the partner's chance."""
    against = m["both"]["against"][MUTUAL]
    return float(against[0] - against[-1])


# fmt: off
CLAIMS = [
    Claim("knows", told_apart("k6", KNOWN, 0), above(0.9), "",
          "Of 6 lasting relations the network knows the law: told one way, it answers a mutual one with the partner "
          "more often than a one-way one, by more than 0.9 of the chance.", digits=3),
    Claim("nonsense", lambda m: float(m["k6"]["partner"][KNOWN, LAWLESS, 0]), between(0.4, 0.6), "",
          "Of a lasting relation without a law it gives the partner a chance of 0.4 to 0.6."),
    Claim("few-deaf", told_apart("k6", NEW, 3), between(-0.2, 0.2), "",
          "Of a relation that it has never met three pairs shown both ways tell it little: what it gives the partner "
          "of a mutual one and of a one-way one differs by less than 0.2."),
    Claim("few-stubborn", turned("k6", MUTUAL), above(0.8), "",
          "Where three pairs show a relation that it knows as mutual to be one-way, it gives the partner over 0.8 "
          "all the same.", digits=3),
    Claim("many-learn", told_apart("k384", NEW, 3), above(0.5), "",
          "Trained on 384 lasting relations, it learns a new one's law from three pairs: more than 0.5."),
    Claim("many-forget", told_apart("k384", KNOWN, 0), below(0.5), "",
          "With no pair shown it hardly knows the law of its own 384: less than 0.5."),
    Claim("many-follow", turned("k384", MUTUAL), below(0.35), "",
          "And where three pairs contradict what a relation was in training, it gives the partner less than 0.35."),
    Claim("learns", told_apart("new", NEW, 3), above(0.6), "",
          "Where every relation is new it tells the two laws apart by more than 0.6 after three pairs."),
    Claim("nothing-shown", lambda m: abs(told_apart("new", NEW, 0)(m)), below(0.1), "",
          "With none shown, by less than 0.1: there is nothing to tell them apart."),
    Claim("bayes", off_bayes, below(0.25), "",
          "The chance that it gives the partner is within 0.25 of what Bayes' rule says, for each law and each number "
          "of pairs shown."),
    Claim("both-knows", told_apart("both", KNOWN, 0), above(0.3), "",
          "Trained on both kinds, it tells the laws of its lasting relations apart by more than 0.3 from memory."),
    Claim("both-yields", yields, above(0.15), "",
          "Where three pairs contradict a law that it knows, its belief in the partner falls by more than 0.15."),
]
# fmt: on
