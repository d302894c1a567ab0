"""A small GINC: documents from a mixture of hidden Markov models, and prompts of examples.

A hidden state is an entity (of n_entities) with a property (of n_properties). A memory
table says which token that is; property 0 is the delimiter for every entity. Entities
change rarely, and in the same way in all documents. Properties follow a chain that the
document's *concept* chooses, but for delimiters: each property is followed by one equally
often, and any property may follow it.

Source: xie2022, section 4 and its released generator; smaller. A concept's chain is a
mixture of random permutations with weights softmax((u - 0.5) / 0.1), u uniform, as there.
There delimiters are part of the chain too; that they tell nothing of the concept is ours.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.theory.forward_algorithm import Mixture


@dataclass(frozen=True)
class Ginc:
    n_entities: int = 4
    n_properties: int = 6
    n_tokens: int = 9  # with the delimiter, token 0
    n_concepts: int = 20
    n_permutations: int = 10  # that a concept mixes
    stays: float = 0.9  # how often an entity does not change
    ends: float = 0.2  # how often a delimiter comes next


# --8<-- [start:world]
def softmax_mixture(
    n: int, count: int, mixed: int, generator: Generator
) -> Float[Tensor, "count n n"]:
    """`count` transition matrices, each a random mixture of the same permutations."""
    order = torch.rand(mixed, n, generator=generator).argsort(1)
    permutations = torch.eye(n, dtype=torch.float64)[order]  # (mixed, n, n)
    u = torch.rand(count, mixed, generator=generator, dtype=torch.float64)
    return torch.einsum("cm,mij->cij", ((u - 0.5) / 0.1).softmax(1), permutations)


class World:
    """Concepts of training, and as many that no document has."""

    def __init__(self, task: Ginc, generator: Generator) -> None:
        check(task)
        self.task, n = task, task.n_entities * task.n_properties
        self.memory = torch.randint(
            1, task.n_tokens, (task.n_entities, task.n_properties), generator=generator
        )
        self.memory[:, 0] = 0
        both = 2 * task.n_concepts
        change = softmax_mixture(task.n_entities, 1, task.n_permutations, generator)[0]
        stay = torch.eye(task.n_entities, dtype=torch.float64)
        entity = task.stays * stay + (1 - task.stays) * change
        chains = self.with_delimiters(
            softmax_mixture(task.n_properties - 1, both, task.n_permutations, generator)
        )
        # state = entity * n_properties + property
        move = torch.einsum("ef,cpq->cepfq", entity, chains).reshape(both, n, n)
        emit = torch.eye(task.n_tokens, dtype=torch.float64)[self.memory.flatten()]
        even = torch.full((task.n_concepts,), 1 / task.n_concepts, dtype=torch.float64)
        start = torch.full((n,), 1 / n, dtype=torch.float64)
        self.seen = Mixture(even, start, move[: task.n_concepts], emit)
        self.unseen = Mixture(even, start, move[task.n_concepts :], emit)

    def with_delimiters(
        self, chains: Float[Tensor, "concept p p"]
    ) -> Float[Tensor, "concept property property"]:
        """The same chains with property 0 before the others."""
        n = self.task.n_properties
        full = torch.zeros(len(chains), n, n, dtype=chains.dtype)
        full[:, 0, 1:] = 1 / (n - 1)
        full[:, 1:, 0] = self.task.ends
        full[:, 1:, 1:] = (1 - self.task.ends) * chains
        return full

    # --8<-- [end:world]

    # --8<-- [start:documents]
    def documents(
        self, batch: int, length: int, generator: Generator
    ) -> Int[Tensor, "batch pos"]:
        """Each from one concept of training, drawn anew."""
        concept = torch.randint(self.task.n_concepts, (batch,), generator=generator)
        return walk(
            self.seen, concept, self.any_state(batch, generator), length, generator
        )[1]

    def any_state(self, batch: int, generator: Generator) -> Int[Tensor, "batch"]:
        return torch.randint(len(self.seen.start), (batch,), generator=generator)

    # --8<-- [end:documents]

    # --8<-- [start:prompts]
    def prompts(
        self,
        mixture: Mixture,
        batch: int,
        shots: int,
        k: int,
        generator: Generator,
    ) -> tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch"]]:
        """`shots` examples of k tokens with a delimiter after each, then k - 1 tokens of
        one more; and the token that is most likely to follow, if one knows the concept.

        All examples of a prompt share the concept and the property they begin with, drawn
        evenly; each begins with an entity of its own, and has no delimiter inside.
        """
        check_prompt(shots, k)
        task, one = self.task, batch * (shots + 1)
        concept = torch.randint(len(mixture.weight), (batch,), generator=generator)
        first = torch.randint(1, task.n_properties, (batch,), generator=generator)
        entity = torch.randint(task.n_entities, (one,), generator=generator)
        state = entity * task.n_properties + first.repeat_interleave(shots + 1)
        _, tokens = walk(
            self.undelimited(mixture),
            concept.repeat_interleave(shots + 1),
            state,
            k,
            generator,
        )
        ended = torch.cat([tokens, torch.zeros(one, 1, dtype=torch.long)], 1)
        prompt = ended.view(batch, -1)[:, :-2]  # less the token asked for, and its end
        query = tokens.view(batch, shots + 1, k)[:, -1, :-1]
        return prompt, self.label(mixture, concept, first, query)

    def undelimited(self, mixture: Mixture) -> Mixture:
        """The same concepts, where no delimiter comes next."""
        move = mixture.move.clone()
        move[:, :, :: self.task.n_properties] = 0
        return mixture._replace(move=move / move.sum(-1, keepdim=True))

    def label(
        self, mixture: Mixture, concept: Tensor, first: Tensor, query: Tensor
    ) -> Int[Tensor, "batch"]:
        """The likeliest next token for one who knows the concept and how examples begin."""
        n_properties, n = self.task.n_properties, len(mixture.start)
        belief = (torch.arange(n) % n_properties == first[:, None]).double()
        move = mixture.move[concept]  # (batch, state, state)
        for token in query.T:
            belief = belief * mixture.emit[:, token].T
            belief = (belief[:, None] @ move)[:, 0]
        return (belief @ mixture.emit).argmax(1)

    # --8<-- [end:prompts]


def walk(
    mixture: Mixture, concept: Tensor, state: Tensor, length: int, generator: Generator
) -> tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch pos"]]:
    """Hidden states and tokens of one walk each, from a given first state."""
    states = [state]
    for _ in range(length - 1):
        rows = mixture.move[concept, states[-1]]
        states.append(torch.multinomial(rows, 1, generator=generator)[:, 0])
    path = torch.stack(states, 1)
    return path, mixture.emit.argmax(1)[path]


def check(task: Ginc) -> None:
    """Raise ValueError for a world that cannot be."""
    if task.n_properties < 3 or task.n_tokens < 2:
        raise ValueError(
            f"{task.n_properties} properties and {task.n_tokens} tokens: one of each is "
            "the delimiter, so give at least 3 and 2"
        )
    for name, share in (("stays", task.stays), ("ends", task.ends)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} = {share} is no probability: give 0 to 1")


def check_prompt(shots: int, k: int) -> None:
    if shots < 0 or k < 2:
        raise ValueError(
            f"{shots} examples of {k} tokens: give 0 or more, of at least 2, since the "
            "last token of the query is what is asked"
        )
