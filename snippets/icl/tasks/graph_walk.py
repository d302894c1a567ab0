"""Words on a graph that nobody shows: only a walk from word to word is written down.

    apple milk sand milk sun ...        each word stands beside the one before it

Source: the tracing task of park2025representations (abstract): a random walk on a grid
of words that have nothing to do with it.
"""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

Walk = Int[Tensor, "batch step"]
Square = Float[Tensor, "word word"]


# --8<-- [start:graphs]
def grid(side: int) -> Square:
    """1 where two squares of a board share an edge; square number = side row + column."""
    if side < 2:
        raise ValueError(f"side = {side}: a board has 2 squares a side or more")
    line = torch.zeros(side, side, dtype=torch.float64)
    line[range(side - 1), range(1, side)] = 1
    line, eye = line + line.mT, torch.eye(side, dtype=torch.float64)
    return torch.kron(line, eye) + torch.kron(eye, line)


def ring(n: int) -> Square:
    """1 between neighbours on a ring."""
    if n < 3:
        raise ValueError(f"n = {n}: a ring has 3 words or more")
    eye = torch.eye(n, dtype=torch.float64)
    return eye.roll(1, 0) + eye.roll(-1, 0)


def walk(adjacency: Square, batch: int, length: int, generator: Generator) -> Walk:
    """Random walks: each step goes to any neighbour, all alike likely. Raises
    ValueError for a walk of no steps."""
    if length < 1:
        raise ValueError(f"a walk of {length} steps: give at least 1")
    at = torch.randint(len(adjacency), (batch,), generator=generator)
    visited = [at]
    for _ in range(length):
        at = torch.multinomial(adjacency[at], 1, generator=generator)[:, 0]
        visited.append(at)
    return torch.stack(visited, 1)  # (batch, length + 1)


# --8<-- [end:graphs]


def steps_between(adjacency: Square) -> Int[Tensor, "word word"]:
    """How many steps the shortest way between two words has. Raises ValueError where
    there is none."""
    n = len(adjacency)
    reached, distance = torch.eye(n, dtype=torch.bool), torch.zeros(n, n).long()
    for steps in range(1, n):
        further = reached | ((reached.double() @ adjacency) > 0)
        distance[further & ~reached] = steps
        reached = further
    if not reached.all():
        raise ValueError("the graph has parts that no way joins: connect them")
    return distance
