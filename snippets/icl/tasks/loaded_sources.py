"""Four dice and three Markov chains, each with a source that can never give some symbol.

Source: the tasks are ours.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.theory.known_sources import Sources
from snippets.icl.theory.known_sources import dice as as_sources

# --8<-- [start:sources]
DICE = {  # the chances of one to six
    "red": (0.30, 0.20, 0.20, 0.15, 0.15, 0.00),  # never a six
    "blue": (0.13, 0.30, 0.20, 0.20, 0.15, 0.02),  # hardly ever a six
    "green": (0.10, 0.10, 0.15, 0.15, 0.20, 0.30),
    "white": (1 / 6,) * 6,  # a fair one
}
STEPS = {  # the chances to stay, to go on by one, by two, by three (or back by one)
    "onward": (0.30, 0.40, 0.30, 0.00),  # never back
    "back": (0.28, 0.02, 0.30, 0.40),  # hardly ever on by one
    "anywhere": (0.25,) * 4,
}
# --8<-- [end:sources]


def chains(steps: Float[Tensor, "source k"]) -> Sources:
    """Chains on a ring of k symbols that step so far; the first symbol is any."""
    k = steps.shape[1]
    turned = torch.stack([steps.roll(s, -1) for s in range(k)], 1)
    return torch.cat([torch.full_like(turned[:, :1], 1 / k), turned], 1)


SOURCES = {
    "dice": as_sources(torch.tensor(list(DICE.values()), dtype=torch.float64)),
    "chains": chains(torch.tensor(list(STEPS.values()), dtype=torch.float64)),
}
