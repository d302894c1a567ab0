"""The loss of an idealised induction head that has three numbers in it.

They are xi, alpha and beta, in three exponentials, one inside another. The head reads
x_1, l_1, ..., x_N, l_N, x_target and chooses among L labels (the task of `item_label`).

    beta    first layer: the logit with which a label token attends to its own item;
            every other logit is 0. It sees N other tokens: label k of N really sees
            2k - 1, and N is their mean (`head_flow` has both)
    alpha   second layer: the logit with which the target attends to a label token that
            holds the target's item in full
    xi      classifier: what all of the target's attention on one label would add to
            that label's logit

Source: reddy2024 describes three nested logits learned one after another (abstract).
The form below is our reconstruction from that description; it is not copied from the
paper.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

# what a softmax makes of a logit before it normalises: exp, or a stand-in for it
Phi = Callable[[Tensor], Tensor]


def linear(logit: Tensor) -> Tensor:
    """The exponential's tangent at 0."""
    return 1 + logit


Phis = tuple[Phi, Phi, Phi]  # of the first layer, the second layer, the classifier
EXACT: Phis = (torch.exp, torch.exp, torch.exp)


# --8<-- [start:loss]
def first_layer(
    beta: Float[Tensor, "*batch"], n_pairs: int, phi: Phi = torch.exp
) -> Float[Tensor, "*batch"]:
    """y: a label token's attention to its own item; it sees N others on average."""
    return phi(beta) / (phi(beta) + n_pairs)


def second_layer(
    match: Float[Tensor, "*batch"], n_pairs: int, phi: Phi = torch.exp
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """The target's attention to the correct label token, whose logit is `match`, and to
    each of the 2N others."""
    total = phi(match) + 2 * n_pairs
    return phi(match) / total, 1 / total


def loss(
    theta: Float[Tensor, "*batch 3"],
    n_pairs: int,
    n_labels: int,
    phis: Phis = EXACT,
) -> Float[Tensor, "*batch"]:
    """Cross-entropy of the idealised head with (xi, alpha, beta) = theta, in nats."""
    xi, alpha, beta = theta.unbind(-1)
    phi_first, phi_second, phi_classifier = phis
    y = first_layer(beta, n_pairs, phi_first)
    z_correct, z_other = second_layer(alpha * y, n_pairs, phi_second)
    correct, other = phi_classifier(xi * z_correct), phi_classifier(xi * z_other)
    absent = 1  # labels that the context does not show get no attention: logit 0
    total = correct + (n_pairs - 1) * other + (n_labels - n_pairs) * absent
    return torch.log(total) - torch.log(correct)


# --8<-- [end:loss]


# --8<-- [start:readout]
def log_odds(theta: Float[Tensor, "*batch 3"], n_pairs: int) -> Float[Tensor, "*batch"]:
    """u: log-odds of the correct label against another label of the context."""
    xi, alpha, beta = theta.unbind(-1)
    z_correct, z_other = second_layer(alpha * first_layer(beta, n_pairs), n_pairs)
    return xi * (z_correct - z_other)


def context_mass(
    theta: Float[Tensor, "*batch 3"], n_pairs: int, n_labels: int
) -> Float[Tensor, "*batch"]:
    """Probability of the N labels that the context shows: N / L at the start, 1 where
    the loss is ln N or less."""
    xi, alpha, beta = theta.unbind(-1)
    z_correct, z_other = second_layer(alpha * first_layer(beta, n_pairs), n_pairs)
    shown = (xi * z_correct).exp() + (n_pairs - 1) * (xi * z_other).exp()
    return shown / (shown + n_labels - n_pairs)


# --8<-- [end:readout]
