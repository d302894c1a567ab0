"""The authors' task, network and optimiser, in their loop on one device.

Source: raventos2023, released code: icl/configs/example.py.
"""

import sys
from unittest.mock import MagicMock

import jax
import jax.numpy as jnp

TASK = {"n_tasks": 1_048_576, "n_dims": 8, "n_points": 16, "batch_size": 256, "noise_scale": 0.5}
SIZES = {"n_points": 16, "n_layer": 8, "n_embd": 128, "n_head": 2}
SCHEDULE = {"optimizer": "adam", "lr": 1e-3, "schedule": "triangle", "warmup_steps": 250_000, "total_steps": 500_000}


class Trainer:
    """One network of theirs."""

    def __init__(self, seed: int) -> None:
        # the module of their network names this library, for a predictor that we do not time; newer JAX breaks it
        for name in ("", ".substrates", ".substrates.jax"):
            sys.modules[f"tensorflow_probability{name}"] = MagicMock()
        import icl.utils  # type: ignore[import-not-found] # noqa: F401  # before models: each imports the other
        from icl.models import Transformer  # type: ignore[import-not-found]
        from icl.optim import get_optimizer_and_lr_schedule  # type: ignore[import-not-found]
        from icl.tasks import NoisyLinearRegression  # type: ignore[import-not-found]

        seeds = {"data_seed": seed, "task_seed": seed + 1, "noise_seed": seed + 2}
        task = NoisyLinearRegression(**TASK, **seeds, data_scale=1.0, task_scale=1.0, dtype=jnp.float32)
        network = Transformer(**SIZES, seed=seed, dtype=jnp.float32)
        self.draw = jax.jit(task.sample_batch)
        x, _, y = self.draw(0)
        self.weights = network.init(jax.random.PRNGKey(seed), x, y)["params"]
        optimiser, _ = get_optimizer_and_lr_schedule(**SCHEDULE, params=self.weights)
        self.state, self.steps = optimiser.init(self.weights), 0

        def loss(weights, x, y):
            return jnp.square(network.apply({"params": weights}, x, y, training=True) - y).mean()

        def update(weights, state, x, y):
            changes, state = optimiser.update(jax.grad(loss)(weights, x, y), state, weights)
            return jax.tree_util.tree_map(jnp.add, weights, changes), state

        self.update = jax.jit(update, donate_argnums=(0, 1))

    def step(self) -> None:
        self.steps += 1
        x, _, y = self.draw(self.steps)
        self.weights, self.state = self.update(self.weights, self.state, x, y)

    def finish(self) -> None:
        jax.block_until_ready(self.weights)


def trainer(seed: int, modules: str) -> Trainer:
    return Trainer(seed)
