"""The Markov chapter's network on chains of three symbols, its first layer as one product of matrices.

Before the first layer a token is one of three vectors, so its attention logit is a number for the pair of symbols plus
one for the distance, and the exponential of the sum is a product:

    weight of symbol c at place i = exp C[a_i, c] * sum over the earlier places j with a_j = c of exp b[i - j]

The sums, for all sequences at once, are one product of a (place, place) matrix with one-hot symbols; a softmax over all
pairs of places becomes one over three symbols. The second layer reads in blocks of queries, each with the keys before
its end. The numbers are those of `MarkovNetwork`.

Source: edelman2024, released code, for task, sizes, rate and decay; the network is that of the chapter.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.networks.markov_network import MarkovNetwork
from snippets.icl.networks.parts import rms_norm
from snippets.icl.shapes import Tokens
from snippets.icl.tasks import markov

SYMBOLS, LENGTH, WIDTH, BATCH = 3, 100, 16, 64
RATE, BETAS, DECAY = 5e-4, (0.9, 0.95), 0.1
BLOCKS = 2  # of queries, in the second layer
CHUNK = 10  # batches drawn at once


def predict(network: MarkovNetwork, tokens: Tokens) -> Float[Tensor, "batch pos symbol"]:
    """Logits of the next symbol at each position, of a network with one head in each of two layers."""
    x = F.embedding(tokens, network.W_E)
    x = x + first_layer(network, tokens)
    x = x + second_layer(network, rms_norm(x))
    return rms_norm(x) @ network.W_U


def matrices(network: MarkovNetwork, layer: int) -> tuple[Tensor, Tensor]:
    """W_Q W_K', scaled, and W_V W_O of the layer's one head."""
    scale = network.W_E.shape[1] ** -0.5
    W_QK = network.W_Q[layer][0] @ network.W_K[layer][0].mT * scale
    return W_QK, network.W_V[layer][0] @ network.W_O[layer][0]


def by_distance(numbers: Float[Tensor, "distance"], n: int) -> Float[Tensor, "query key"]:
    """Number i - j at (i, j), minus infinity for what is to come."""
    both_ways = torch.cat([numbers[:n].flip(0), numbers.new_full((n - 1,), -torch.inf)])
    return both_ways.unfold(0, n, 1).flip(0)  # each row starts one place later


def first_layer(network: MarkovNetwork, tokens: Tokens) -> Float[Tensor, "batch pos d_model"]:
    n, k = tokens.shape[1], network.n_symbols
    W_QK, W_VO = matrices(network, 0)
    y = rms_norm(network.W_E)  # (symbol, d_model)
    C = y @ W_QK @ y.mT  # (symbol that asks, symbol that is read)
    numbers = network.by_distance[0][0]
    near = (by_distance(numbers, n) - numbers.max().detach()).exp()
    symbols = F.one_hot(tokens.mT, k).to(near.dtype)  # (pos, batch, symbol)
    sums = (near @ symbols.view(n, -1)).view(n, -1, k).transpose(0, 1)
    weight = sums * F.embedding(tokens, (C - C.max().detach()).exp())
    return weight / weight.sum(-1, keepdim=True) @ (y @ W_VO)


def second_layer(network: MarkovNetwork, y: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
    n = y.shape[1]
    W_QK, W_VO = matrices(network, 1)
    bias = by_distance(network.by_distance[1][0], n)
    values = y @ W_VO
    read: list[Tensor] = []
    for queries in (y @ W_QK).split(-(-n // BLOCKS), 1):
        begin = sum(block.shape[1] for block in read)
        end = begin + queries.shape[1]
        scores = torch.baddbmm(bias[begin:end, :end], queries, y[:, :end].mT)
        read.append(scores.softmax(-1) @ values[:, :end])
    return torch.cat(read, 1)


class Trainer:
    """One network, and how it trains."""

    def __init__(self, seed: int) -> None:
        self.data = Generator().manual_seed(seed)
        first = Generator().manual_seed(seed + 10_000)
        self.network = MarkovNetwork(SYMBOLS, WIDTH, (1, 1), LENGTH, first)
        self.adam = torch.optim.AdamW(self.network.parameters(), RATE, BETAS, weight_decay=DECAY, fused=True)
        self.drawn: list[Tensor] = []

    def step(self) -> None:
        if not self.drawn:
            chains = markov.dirichlet_chains(BATCH * CHUNK, SYMBOLS, self.data)
            self.drawn = list(markov.sample(chains, LENGTH + 1, self.data).split(BATCH))
        sequences = self.drawn.pop()
        logits = predict(self.network, sequences[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), sequences[:, 1:].flatten())
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed)
