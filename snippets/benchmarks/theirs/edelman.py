"""The authors' chains, network and optimiser, in their loop.

Source: edelman2024, released code: training_pipeline.py, with k = 3 symbols.
"""

import torch

SYMBOLS, LENGTH, BATCH = 3, 100, 64


class Trainer:
    """One network of theirs."""

    def __init__(self, seed: int, dropout: float | None = None) -> None:
        import datasets  # type: ignore[import-not-found]
        import training_pipeline as code  # type: ignore[import-not-found]
        from mingpt.model_rpe import Relative_Transformer  # type: ignore[import-not-found]

        torch.manual_seed(seed)
        sizes = code.get_default_config()
        sizes.vocab_size, sizes.device = SYMBOLS, torch.device("cpu")
        if dropout is not None:
            sizes.embd_pdrop = sizes.resid_pdrop = sizes.attn_pdrop = dropout
        self.network = Relative_Transformer(sizes).train()
        self.optimiser = self.network.configure_optimizers(code.Trainer.get_default_config())
        self.chains = datasets.ngrams("train", sizes.n, LENGTH + 1, SYMBOLS)

    def step(self) -> None:
        pairs = self.chains.__getitems__(range(BATCH))  # as their loader asks, without its processes
        now, following = (torch.stack(tokens) for tokens in zip(*pairs))
        _, loss = self.network(now, following)
        self.network.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int, modules: str, dropout: float | None = None) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed, dropout)
