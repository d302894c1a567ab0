"""The authors' loop: their data, their update, their evaluation, with the options of their notebook for one layer.

Source: vonoswald2023, notebook constructed_token_setup of the released code.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

N_TEST = 10_000
OPTIONS = {  # what the notebook sets for one layer, where it differs from the file of defaults
    "bs": 2048,
    "lr": 0.001,
    "grad_clip_value": 0.001,
    "input_range": 1,
    "key_size": 11,
    "emb_size": 11,
    "analyse": True,
}


class Trainer:
    """One network of theirs."""

    def __init__(self, seed: int) -> None:
        # their module names a class that newer JAX has under another name
        jnp.DeviceArray = getattr(jnp, "DeviceArray", jax.Array)  # type: ignore[attr-defined]
        from src import train  # type: ignore[import-not-found]
        from src.config import config  # type: ignore[import-not-found]

        config.update(OPTIONS | {"seed": seed})
        self.code, self.config = train, config
        self.optimiser, self.state, _, self.key = train.init()
        self.test = self.draw(jax.random.PRNGKey(5), N_TEST)

    def draw(self, key: Any, count: int) -> Any:
        c = self.config
        keys = jax.random.split(key, num=count)
        return self.code.data_creator(
            keys, c.input_size, c.dataset_size, c.size_distract, c.input_range, c.weight_scale
        )

    def step(self) -> None:
        now, self.key = jax.random.split(self.key, 2)
        prompts = self.draw(now, self.config.bs)
        self.state, _ = self.code.update(self.state, prompts, self.optimiser)

    def look(self) -> float:
        """The loss over that of the best gradient step from zero, on the same held-out prompts."""
        tokens, answers = np.asarray(self.test[0]), np.asarray(self.test[1])[:, -1]
        x, y, query = tokens[:, :-1, :-1], tokens[:, :-1, -1], tokens[:, -1, :-1]
        step = np.einsum("bnd,bd,bn->b", x, query, y)
        step = step * (step @ answers) / (step @ step)  # the rate that fits these prompts best
        return float(self.loss(self.test)) / float(np.square(step - answers).mean() / 2)

    def loss(self, prompts: Any) -> Any:
        return self.code.predict_test.apply(self.state.params, self.key, prompts, False)[0]

    def finish(self) -> None:
        jax.block_until_ready(self.state.params)


def trainer(seed: int, modules: str) -> Trainer:
    return Trainer(seed)


def weigh(theirs: Trainer, file: str) -> float:
    """Write the weights and some prompts, as ours names them, and give the loss on them."""
    layers = {name.split("/")[-1]: np.asarray(w["w"]) for name, w in theirs.state.params.items()}
    tokens, answers, _ = theirs.draw(jax.random.PRNGKey(6), 512)
    answers = answers[:, -1]
    weights = np.stack([layers[name] for name in ("query", "key", "value", "linear")])
    np.savez(file, weights=weights, tokens=np.asarray(tokens), answers=np.asarray(answers))
    return float(theirs.loss((tokens, jnp.stack([answers, answers], 1))))
