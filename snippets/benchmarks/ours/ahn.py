"""Three layers of linear attention whose P is zero, as what they read of a prompt: one matrix and one vector.

With P zero but for its last entry a layer changes the y's only, by what the examples' x and y say through two sums,

    S = sum of x x' / n,    c = sum of x y / n:    each y gains  x' Q c,   so  c <- c + S Q c

S and the first c stay while the prompts stay, and those stay for 100 steps. Prompts stand in the last axis.

Source: ahn2023, released code, for task, sizes, first weights and update.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

LAYERS, N, D, BATCH, RATE, BETAS, CLIP = 3, 20, 5, 20_000, 0.02, (0.99, 0.9), 0.01
KEEP = 100  # steps on the same prompts
START = 0.0001
SPREAD = (1, 1, 1 / 2, 1 / 4, 1)  # of x along its axes

Matrices = Float[Tensor, "layer d d"]
Prompts = tuple[Float[Tensor, "d d batch"], Float[Tensor, "d batch"], Float[Tensor, "d batch"], Float[Tensor, "batch"]]


def fold(x: Float[Tensor, "batch n_and_query d"], y: Float[Tensor, "batch n"], answer: Tensor) -> Prompts:
    """S, c, the query and the answer."""
    examples, n = x[:, :-1], y.shape[1]
    S = (examples.mT @ examples / n).permute(1, 2, 0).contiguous()
    c = ((y[:, None] @ examples)[:, 0] / n).mT.contiguous()
    return S, c, x[:, -1].mT.contiguous(), answer


def loss_of(Q: Matrices, prompts: Prompts) -> Float[Tensor, ""]:
    """Mean squared error; the last layer's output is minus the prediction."""
    S, c, query, answer = prompts
    off = answer
    for layer, matrix in enumerate(Q, 1):
        Qc = matrix @ c  # (d, batch)
        off = off + (query * Qc).sum(0)
        if layer < len(Q):  # after the last nobody reads c
            c = c + (S * Qc).sum(1)
    return off.square().mean()


class Trainer:
    """One network, and how it trains."""

    def __init__(self, seed: int) -> None:
        self.data = Generator().manual_seed(seed)
        self.Q = torch.nn.Parameter(START * torch.randn(LAYERS, D, D, generator=self.data))
        self.adam = torch.optim.AdamW([self.Q], RATE, BETAS, weight_decay=0, fused=True)
        rotation = torch.linalg.svd(torch.rand(D, D, generator=self.data) * 2 - 1)[0]
        spread = torch.tensor(SPREAD)
        self.x_root, self.w_root = rotation * spread, rotation / spread  # of the covariances
        self.steps, self.prompts = 0, self.draw()

    def draw(self) -> Prompts:
        x = torch.randn(BATCH, N + 1, D, generator=self.data) @ self.x_root.mT
        w = torch.randn(BATCH, D, generator=self.data) @ self.w_root.mT
        y = (x @ w[..., None])[..., 0]
        return fold(x, y[:, :-1], y[:, -1])

    def step(self) -> None:
        if self.steps % KEEP == 0:
            self.prompts = self.draw()
        self.steps += 1
        loss_of(self.Q, self.prompts).backward()
        gradient = self.Q.grad
        assert gradient is not None
        gradient.mul_((CLIP / gradient.norm(dim=(1, 2), keepdim=True)).clamp(max=1))
        self.adam.step()
        self.Q.grad = None

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed)


@torch.no_grad()
def weigh(ours: Trainer, file: str) -> float:
    """The loss on weights and prompts that the authors' side wrote."""
    found = {name: torch.from_numpy(array) for name, array in np.load(file).items()}
    tokens = found["tokens"]
    return loss_of(found["Q"], fold(tokens[..., :-1], tokens[:, :-1, -1], found["answers"])).item()
