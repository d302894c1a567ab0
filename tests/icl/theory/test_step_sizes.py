"""Step sizes: the loss from eigenvalues is the built network's, and the fit finds known bests."""

import pytest
import torch

from snippets.algorithms.substitutions import built
from snippets.icl.networks.simple_transformer import one_step
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.theory.step_sizes import draw_spectra, fitted, loss


@pytest.mark.parametrize("gamma", [0.0, 0.2])
def test_the_loss_is_that_of_the_built_network(gamma):
    """Averages over w and query, exact: both run through all unit vectors, on one prompt's inputs."""
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    eye = torch.eye(3, dtype=torch.float64)
    w, query = eye.repeat_interleave(3, 0), eye.repeat(3, 1)
    inputs = torch.cat([x.expand(9, 6, 3), query[:, None]], 1)
    prompts = Prompts(inputs, (inputs @ w[..., None])[..., 0], w)
    rates = torch.tensor([[0.5, gamma], [0.8, gamma], [0.4, 0.0]], dtype=torch.float64)
    network = built([one_step(eye, float(eta), float(g)) for eta, g in rates], 3)
    with torch.no_grad():
        off = network(prompts.tokens()) - prompts.answer
    theirs = loss(torch.linalg.eigvalsh(x.mT @ x / 6)[None], rates)
    assert off.square().sum().item() / 3 == pytest.approx(theirs.item(), rel=1e-9)


def test_one_plain_step_has_its_known_best_size():
    spectra = draw_spectra(20_000, 20, 5, torch.Generator().manual_seed(1))
    start = torch.tensor([[0.3, 0.0]], dtype=torch.float64)
    eta, gamma = fitted(spectra, start, 1, bends=False)[0]
    assert eta.item() == pytest.approx(20 / 26, abs=0.01) and gamma == 0  # n / (n + d + 1)
    assert loss(spectra, torch.stack([eta, gamma])[None]).item() == pytest.approx(6 / 26, abs=0.01)


def test_free_sizes_solve_two_eigenvalues_in_two_steps():
    spectra = torch.tensor([[0.5, 2.0]], dtype=torch.float64)
    start = torch.tensor([[1.0, 0.0], [0.7, 0.0]], dtype=torch.float64)
    rates = fitted(spectra, start, 2, bends=False)
    assert sorted(rates[:, 0].tolist()) == pytest.approx([0.5, 2.0], rel=1e-3)
