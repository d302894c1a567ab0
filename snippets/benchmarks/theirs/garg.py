"""The authors' network and samplers, in their loop: prompts, forward, backward, Adam.

Source: garg2022, released code: conf/linear_regression.yaml at the end of its curriculum, conf/models/tiny.yaml.
"""

from types import SimpleNamespace

import torch

DIMS, POINTS, BATCH, RATE = 20, 41, 64, 1e-4


class Trainer:
    """One network of theirs."""

    def __init__(self, seed: int) -> None:
        from models import build_model  # type: ignore[import-not-found]
        from samplers import get_data_sampler  # type: ignore[import-not-found]
        from tasks import get_task_sampler  # type: ignore[import-not-found]

        torch.manual_seed(seed)
        sizes = SimpleNamespace(family="gpt2", n_dims=DIMS, n_positions=101, n_embd=64, n_layer=3, n_head=2)
        self.network = build_model(sizes).train()
        self.adam = torch.optim.Adam(self.network.parameters(), lr=RATE)
        self.inputs = get_data_sampler("gaussian", n_dims=DIMS)
        self.tasks = get_task_sampler("linear_regression", DIMS, BATCH)

    def step(self) -> None:
        x = self.inputs.sample_xs(POINTS, BATCH, DIMS)
        task = self.tasks()
        y = task.evaluate(x)
        self.adam.zero_grad()
        loss = task.get_training_metric()(self.network(x, y), y)
        loss.backward()
        self.adam.step()
        loss.item()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int, modules: str) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed)
