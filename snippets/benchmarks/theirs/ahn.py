"""The authors' data, network and clipped update, in their loop for three layers whose P is zero.

Source: ahn2023, released code: notebook "rotation demonstration-Adam-p0".
"""

import numpy as np
import torch

LAYERS, N, D, BATCH, RATE, BETAS, CLIP = 3, 20, 5, 20_000, 0.02, (0.99, 0.9), 0.01
KEEP = 100  # steps on the same prompts
START = 0.0001  # standard deviation of first weights
SPREAD = (1, 1, 1 / 2, 1 / 4, 1)  # of x along its axes


class Trainer:
    """One network of theirs."""

    def __init__(self, seed: int) -> None:
        import linear_transformer as code  # type: ignore[import-not-found]

        torch.manual_seed(seed)
        self.code, self.steps = code, 0
        self.network = code.Transformer_F(LAYERS, 1, D, START)
        self.adam = torch.optim.AdamW(self.network.parameters(), lr=RATE, betas=BETAS, weight_decay=0)
        self.rotation = torch.linalg.svd(torch.empty(D, D).uniform_(-1, 1))[0]
        self.spread = torch.diag(torch.tensor(SPREAD))
        self.tokens, self.answers = code.generate_data("normal", N, D, BATCH, 0.1, self.rotation, self.spread)

    def step(self) -> None:
        if self.steps % KEEP == 0:
            world = {"U": self.rotation, "D": self.spread}
            self.tokens, self.answers = self.code.generate_data_inplace(self.tokens, **world)
        self.steps += 1
        weights = self.network.allparam
        self.code.in_context_loss(self.network, self.tokens, self.answers).backward()
        for gradient in weights.grad.flatten(0, 2):  # each matrix is clipped by itself
            norm = gradient.norm().item()
            if norm > CLIP:
                gradient.mul_(CLIP / norm)
        self.adam.step()
        self.adam.zero_grad()
        self.network.zero_p()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int, modules: str) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed)


@torch.no_grad()
def weigh(theirs: Trainer, file: str) -> float:
    """Write the weights and some prompts, and give the loss on them."""
    theirs.network.allparam[:, 0, 1].normal_(0, 0.1)
    tokens, answers = theirs.tokens[:500], theirs.answers[:500]
    np.savez(file, Q=theirs.network.allparam[:, 0, 1].numpy(), tokens=tokens.numpy(), answers=answers.numpy())
    return theirs.code.in_context_loss(theirs.network, tokens, answers).item()
