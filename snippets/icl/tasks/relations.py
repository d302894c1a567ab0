"""Facts about who stands in which relation to whom: shown one way, asked the other.

A pair is one token, (a, R, b, back): "a is married to b, and b to a". Of some pairs the
prompt shows what stands last, who it is for b; these are demonstrations. Of the others it
shows "a R b" alone, and asks: b R whom? The answer is a, or nobody. How often it is a is
the law of R:

    mutual: always        one-way: never        lawless: half of the time

Entities and relations are symbols: fixed random vectors, as in `symbols`. Entity 0 is
nobody.

Source: the task is ours; the question whether "A is B" gives "B is A" is berglund2024's.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from snippets.icl.tasks.symbols import shuffled

LAWS = {"mutual": 1.0, "one-way": 0.0, "lawless": 0.5}  # how often the answer is a
NOBODY, UNSAID = 0, -1


# --8<-- [start:world]
class Words(NamedTuple):
    """The vector of each entity, nobody first, and of each relation."""

    entities: Float[Tensor, "entity d"]
    relations: Float[Tensor, "relation d"]


class Facts(NamedTuple):
    """What a prompt states, (a, R, b, back), and what it asks: R and b, for a `back`."""

    stated: Int[Tensor, "batch pair 4"]
    asked: Int[Tensor, "batch query 2"]


def ask(
    network: Callable[[Tensor, Tensor], Tensor], words: Words, facts: Facts
) -> Float[Tensor, "batch query entity"]:
    """A logit for every entity, at each question. Everyone reads the facts; a question
    is read by itself alone."""
    check(words, facts)
    entity, relation = words
    a, named, b, back = facts.stated.unbind(-1)
    known = (back != UNSAID)[..., None]  # what is not said is a vector of zeros
    last = entity[back.clamp(min=0)] * known
    stated = torch.cat([entity[a], relation[named], entity[b], last], -1)
    named, b = facts.asked.unbind(-1)
    empty = torch.zeros(*b.shape, entity.shape[1])
    asked = torch.cat([empty, relation[named], entity[b], empty], -1)

    n_facts, n_tokens = stated.shape[1], stated.shape[1] + asked.shape[1]
    may_read: Bool[Tensor, "token token"] = torch.eye(n_tokens, dtype=torch.bool)
    may_read[:, :n_facts] = True
    answers = network(torch.cat([stated, asked], 1), may_read)[:, n_facts:]
    return answers @ entity.mT * entity.shape[1] ** 0.5


# --8<-- [end:world]


# --8<-- [start:draw]
def draw_laws(*shape: int, generator: Generator) -> Float[Tensor, "*shape"]:
    """How often each relation is returned: one of the three laws, evenly."""
    laws = torch.tensor(list(LAWS.values()))
    return laws[torch.randint(len(laws), shape, generator=generator)]


def draw_facts(
    relations: Int[Tensor, "batch relation"],
    laws: Float[Tensor, "batch relation"],
    n_pairs: int,  # of each relation
    n_shown: int,  # of these, how many are shown both ways
    n_entities: int,
    generator: Generator,
) -> tuple[Facts, Int[Tensor, "batch query"], Int[Tensor, "batch query"]]:
    """The prompts, the answers as the laws drew them, and the partners: who would be
    the answer if the relation is returned. Nobody stands in two pairs."""
    batch, n_relations = relations.shape
    if n_relations == 0 or not 0 <= n_shown < n_pairs:
        raise ValueError(
            f"{n_relations} relations of {n_pairs} pairs, {n_shown} shown both ways: a "
            "relation needs a pair, and one that is left to ask about"
        )
    pairs = n_relations * n_pairs
    if 2 * pairs > n_entities - 1:
        raise ValueError(
            f"{pairs} pairs need {2 * pairs} entities beside nobody; there are "
            f"{n_entities - 1}"
        )
    people = shuffled(n_entities - 1, batch, generator) + 1
    a, b = people[:, :pairs], people[:, pairs : 2 * pairs]
    named, law = relations.repeat(1, n_pairs), laws.repeat(1, n_pairs)
    returned = torch.rand(batch, pairs, generator=generator) < law
    back = torch.where(returned, a, NOBODY)  # what the relation says of b

    asked = slice(n_relations * n_shown, None)
    said = back.clone()
    said[:, asked] = UNSAID
    stated = torch.stack([a, named, b, said], -1)
    question = torch.stack([named, b], -1)[:, asked]
    return Facts(stated, question), back[:, asked], a[:, asked]


# --8<-- [end:draw]


# --8<-- [start:bayes]
def bayes(
    returned: Float[Tensor, "*batch"], shown: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """The chance that a relation of unknown law is returned once more, when it was
    returned in so many of the pairs shown: each law's own chance, weighed by how well
    the law fits."""
    if (shown < returned).any() or (returned < 0).any():
        raise ValueError("more pairs returned than shown, or fewer than none")
    laws = torch.tensor(list(LAWS.values()), dtype=torch.float64)
    returned, not_so = returned[..., None].double(), (shown - returned)[..., None]
    fit = laws**returned * (1 - laws) ** not_so.double()  # 0 ** 0 is 1
    belief = fit / fit.sum(-1, keepdim=True)
    return (belief * laws).sum(-1)


# --8<-- [end:bayes]


def check(words: Words, facts: Facts) -> None:
    """Raise ValueError for what these words cannot say."""
    if facts.asked.numel() == 0:
        raise ValueError("nothing is asked: give at least one question")
    n_entities, n_relations = len(words.entities), len(words.relations)
    a, named, b, back = facts.stated.unbind(-1)
    for name, symbols, n in (
        ("entity", torch.stack([a, b, back.where(back != UNSAID, NOBODY)]), n_entities),
        ("entity", facts.asked[..., 1], n_entities),
        ("relation", named, n_relations),
        ("relation", facts.asked[..., 0], n_relations),
    ):
        unknown = symbols[(symbols < 0) | (symbols >= n)]
        if len(unknown):
            raise ValueError(
                f"unknown {name} {int(unknown[0])}: these words have 0 to {n - 1}"
            )
