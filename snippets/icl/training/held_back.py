"""The same network many times over, each held back by a weight decay of its own.

All read the same batches. Decay is taken off the weights at each step of plain SGD, as
the gradient of decay / 2 times their squared length would.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor
from torch.func import functional_call, vmap

from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.tasks.item_label import World
from snippets.progress import steps

BLOCK = 25  # steps whose sequences are drawn at once: fewer and larger draws
Weights = dict[str, Tensor]  # each with a first axis for the network


def copies(network: TwoLayerNetwork, n: int) -> Weights:
    """n copies of a network's weights, to be trained apart."""
    return repeated({name: w.detach() for name, w in network.named_parameters()}, n)


def repeated(one: dict[str, Tensor], n: int) -> Weights:
    """n copies of one network's weights, each by its name."""
    return {
        name: w.repeat(n, *[1] * w.dim()).requires_grad_() for name, w in one.items()
    }


def one_of(weights: Weights, index: int) -> Weights:
    return {name: w[index].detach().clone() for name, w in weights.items()}


def all_of(
    network: TwoLayerNetwork, weights: Weights, tokens: Float[Tensor, "batch pos d"]
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (net, batch, label), and where layer 1 and the target look, of each."""
    return vmap(lambda w: functional_call(network, w, (tokens,)))(weights)


# --8<-- [start:train]
def train_held_back(
    network: TwoLayerNetwork,
    weights: Weights,
    decays: Sequence[float],
    world: World,
    data: Generator,
    *,
    n_steps: int,
    batch: int,
    learning_rate: float,
    look_every: int,
) -> Iterator[int]:
    """Train each copy with its decay; hand over the step when it is time to look."""
    if any(decay < 0 for decay in decays):
        raise ValueError(f"decays = {tuple(decays)}: give none below 0")
    decay = torch.tensor(decays)
    for step in steps(n_steps + 1):
        if step % look_every == 0:
            yield step
        if step == n_steps:
            return
        if step % BLOCK == 0:  # fresh sequences at every step: nothing to overfit
            block = world.train(batch * BLOCK, data)
            batches = zip(block.tokens.split(batch), block.answer.split(batch))
        tokens, answer = next(batches)
        logits, _, _ = all_of(network, weights, tokens)
        every = answer.expand(len(decay), -1).flatten()
        # a sum over networks: no network's gradient holds another's weights
        nats = F.cross_entropy(logits.flatten(0, 1), every) * len(decay)
        gradients = torch.autograd.grad(nats, list(weights.values()))
        with torch.no_grad():
            for w, g in zip(weights.values(), gradients):
                shrink = decay.reshape(-1, *[1] * (w.dim() - 1)) * w
                w -= learning_rate * (g + shrink)


# --8<-- [end:train]
