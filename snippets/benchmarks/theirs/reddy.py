"""The author's sampler, network and update, in his loop.

Source: reddy2024; the author's code as the first commit of another project keeps it.
"""

from typing import Any

import jax
import numpy as np

PAIRS, DIMS, CLASSES, LABELS, SLOTS_FOR = 8, 63, 256, 32, 32  # positions for contexts of up to 32 pairs
BATCH, RATE, NOISE, NOVEL, N_TEST = 128, 0.01, 0.1, 0.8, 1000


class Trainer:
    """One network of his."""

    def __init__(self, seed: int, rate: float) -> None:
        import datasets_v2 as data  # type: ignore[import-not-found]
        import transformer_v2 as network  # type: ignore[import-not-found]

        np.random.seed(seed)
        self.data, self.network, self.rate = data, network, rate
        self.world = data.get_mus_label_class(CLASSES, LABELS, DIMS)
        self.test = self.draw(N_TEST, novel=1)
        width = DIMS + 2 * SLOTS_FOR + 1
        key = jax.random.PRNGKey(seed)
        self.weights = network.init_network_params(2, 3, width, width, LABELS, key, scale=DIMS**-0.5)

    def draw(self, count: int, novel: float) -> Any:
        settings: dict[str, Any] = {"eps": NOISE, "B": 1, "p_B": 1, "p_C": novel, "no_repeats": True}
        return self.data.generate_input_seqs(*self.world, count, PAIRS, SLOTS_FOR, **settings)

    def step(self) -> None:
        tokens, answers = self.draw(BATCH, NOVEL)
        self.weights = self.network.update(self.weights, tokens, answers, lr=self.rate)

    def look(self) -> float:
        """Accuracy on classes never seen."""
        return float(self.network.accuracy(self.weights, *self.test))

    def finish(self) -> None:
        jax.block_until_ready(self.weights)


def trainer(seed: int, modules: str, rate: float = RATE) -> Trainer:
    return Trainer(seed, rate)


def weigh(theirs: Trainer, file: str) -> float:
    """Write the weights and some sequences, as ours names them, and give the loss on them."""
    tokens, answers = theirs.draw(256, NOVEL)
    first, second, *hidden, out = [[np.asarray(w) for w in layer] for layer in theirs.weights]
    arrays: dict[str, Any] = {name: np.stack([a.T, b.T]) for name, a, b in zip(("W_Q", "W_K", "W_V"), first, second)}
    arrays |= {f"W_hidden.{i}": W.T for i, (W, _) in enumerate(hidden)}
    arrays |= {f"b_hidden.{i}": b for i, (_, b) in enumerate(hidden)}
    arrays |= {"W_out": out[0].T}
    np.savez(file, tokens=np.asarray(tokens), answers=np.asarray(answers).argmax(1), **arrays)
    return float(theirs.network.loss(theirs.weights, tokens, answers))
