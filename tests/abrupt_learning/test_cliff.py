"""The idealised loss against an explicit attention computation, its gradients, its flow, and the predicted edge."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from snippets.abrupt_learning import cliff, cliff_in_network
from snippets.icl.theory import head_flow
from snippets.icl.theory.head_flow import average_context, edge, flow, gradient, true_contexts, velocity
from snippets.icl.theory.three_exponentials import (
    EXACT,
    context_mass,
    first_layer,
    linear,
    log_odds,
    loss,
    second_layer,
)

numbers = st.floats(-3, 6, allow_nan=False)
sizes = st.tuples(st.integers(2, 12), st.integers(0, 40))  # N, L - N
by_hypothesis = settings(max_examples=40, deadline=None)


def theta_of(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def explicit_loss(xi: float, alpha: float, beta: float, n: int, n_labels: int, correct: int) -> float:
    """The same idealised network, token by token, with one-hot items, labels and positions.

    Each label token sees its own item and N blank tokens, which is the average context of the formula.
    """
    items = torch.eye(n, dtype=torch.float64)
    label_of_pair = torch.randperm(n_labels)[:n]

    # layer 1: what a label token holds of the items
    held = torch.zeros(2 * n + 1, n, dtype=torch.float64)
    for k in range(n):
        keys = torch.cat([items[k : k + 1], torch.zeros(n, n, dtype=torch.float64)])
        logits = torch.zeros(n + 1, dtype=torch.float64)
        logits[0] = beta
        held[2 * k + 1] = logits.softmax(0) @ keys

    # layer 2: the target looks for its item in what the 2N + 1 tokens hold, and reads their labels
    labels = torch.zeros(2 * n + 1, n_labels, dtype=torch.float64)
    for k in range(n):
        labels[2 * k + 1, label_of_pair[k]] = 1
    attention = (alpha * held @ items[correct]).softmax(0)

    # classifier: xi times the attention on each label
    return float(-(xi * attention @ labels).log_softmax(0)[label_of_pair[correct]])


@given(numbers, numbers, numbers, sizes, st.integers(0, 10**6))
@by_hypothesis
def test_formula_is_the_explicit_computation(xi, alpha, beta, size, seed):
    torch.manual_seed(seed)
    n, n_labels = size[0], sum(size)
    expected = explicit_loss(xi, alpha, beta, n, n_labels, correct=seed % n)
    assert float(loss(theta_of(xi, alpha, beta), n, n_labels)) == pytest.approx(expected, abs=1e-12)


@given(numbers, numbers, numbers, sizes)
@by_hypothesis
def test_formula_is_the_printed_one(xi, alpha, beta, size):
    n, n_labels = size[0], sum(size)
    y = math.exp(beta) / (math.exp(beta) + n)
    e = math.exp(alpha * y)
    u, u_absent = xi * (e - 1) / (e + 2 * n), xi * e / (e + 2 * n)
    printed = math.log(1 + (n - 1) * math.exp(-u) + (n_labels - n) * math.exp(-u_absent))
    theta = theta_of(xi, alpha, beta)
    assert float(loss(theta, n, n_labels)) == pytest.approx(printed, abs=1e-12)
    assert float(log_odds(theta, n)) == pytest.approx(u, abs=1e-12)
    mass = (1 + (n - 1) * math.exp(-u)) / math.exp(printed)
    assert float(context_mass(theta, n, n_labels)) == pytest.approx(mass, abs=1e-12)


@given(sizes)
@by_hypothesis
def test_levels(size):
    n, n_labels = size[0], sum(size)
    assert float(loss(theta_of(0, 2, 1), n, n_labels)) == pytest.approx(math.log(n_labels))  # xi = 0
    assert float(loss(theta_of(500, 0, 0), n, n_labels)) == pytest.approx(math.log(n))  # alpha = 0, xi large
    assert float(loss(theta_of(60, 60, 20), n, n_labels)) == pytest.approx(0, abs=1e-9)  # all large


@given(sizes)
@by_hypothesis
def test_attention_adds_to_one(size):
    n = size[0]
    correct, other = second_layer(theta_of(1.3), n)
    assert float(correct + 2 * n * other) == pytest.approx(1)
    assert float(first_layer(theta_of(0.0), n)) == pytest.approx(1 / (n + 1))


@given(sizes)
@by_hypothesis
def test_gradient_at_the_origin(size):
    n, n_labels = size[0], sum(size)
    found = gradient(theta_of(0, 0, 0), n, n_labels)
    assert found.tolist() == pytest.approx([-(n_labels - n) / (n_labels * (2 * n + 1)), 0, 0], abs=1e-15)


@given(numbers, numbers, numbers, sizes, st.sampled_from(list(cliff.VARIANTS)))
@by_hypothesis
def test_gradient_against_finite_differences(xi, alpha, beta, size, variant):
    theta, n, n_labels, phis = theta_of(abs(xi), abs(alpha), abs(beta)), size[0], sum(size), cliff.VARIANTS[variant]
    h = 1e-5
    differences = [
        float(loss(theta + h * d, n, n_labels, phis) - loss(theta - h * d, n, n_labels, phis)) / (2 * h)
        for d in torch.eye(3, dtype=torch.float64)
    ]
    assert gradient(theta, n, n_labels, phis).tolist() == pytest.approx(differences, abs=1e-8)


@pytest.mark.parametrize("variant", list(cliff.VARIANTS))
def test_variants_agree_to_first_order(variant):
    """Halving the distance to the origin quarters the difference, or better."""
    direction = theta_of(0.7, 0.9, 0.5)

    def difference(scale: float) -> float:
        exact, changed = (loss(scale * direction, 8, 32, phis) for phis in (EXACT, cliff.VARIANTS[variant]))
        return abs(float(exact - changed))

    assert difference(0.01) < 1e-5
    assert difference(0.01) <= difference(0.02) / 3.9 + 1e-15


def test_linear_is_the_tangent_of_exp():
    x = theta_of(0.0).requires_grad_()
    assert linear(x).item() == x.exp().item() == 1
    assert torch.autograd.grad(linear(x).sum(), x)[0] == torch.autograd.grad(x.exp().sum(), x)[0]


@given(sizes.filter(lambda size: size[1] > 0), st.floats(0.01, 3))
@by_hypothesis
def test_first_phase_in_closed_form(size, s):
    """time_at and push_at against the integrals of the differential equations that they solve."""
    n, absent, tokens = size[0], size[1], 2 * size[0] + 1

    def velocity(s: float) -> float:  # ds / dt with alpha = 0, from the gradient of the loss
        return -float(gradient(theta_of(s * tokens, 0, 0), n, n + absent)[0]) / tokens

    def push(s: float) -> float:  # d alpha / dt per unit of y
        y0 = 1 / (n + 1)
        return -float(gradient(theta_of(s * tokens, 0, 0), n, n + absent)[1]) / y0

    assert cliff.time_at(s, n, n + absent) == pytest.approx(quad(lambda v: 1 / velocity(v), 0, s)[0], rel=1e-7)
    assert cliff.push_at(s, n, n + absent) == pytest.approx(quad(lambda v: push(v) / velocity(v), 0, s)[0], rel=1e-7)


def test_push_if_beta_follows_is_the_integral_without_bound():
    """With y = e^(alpha^2 / 2) / (N + 1) the integral of d alpha / y converges, to the printed value."""
    n = 20
    integral = quad(lambda alpha: (n + 1) * math.exp(-(alpha**2) / 2), 0, 40)[0]
    assert cliff.push_if_beta_follows(n) == pytest.approx(integral)


@given(st.floats(0.01, 6), sizes)
@by_hypothesis
def test_beta_on_the_flow(alpha, size):
    n = size[0]
    beta = cliff.beta_on_the_flow(alpha, n)
    assert beta + (math.exp(beta) - 1) / n == pytest.approx(alpha**2 / 2)


def test_flow_keeps_its_integral_and_agrees_with_runge_kutta():
    start, n, n_labels = theta_of(0.01, 0.02, 0.005), 8, 32
    times = np.linspace(1, 120, 60)
    path = flow(start, times, n, n_labels)
    kept = path[:, 1] ** 2 / 2 - path[:, 2] - path[:, 2].exp() / n
    assert float(kept.max() - kept.min()) < 1e-5

    def velocity(t, theta):
        return -gradient(torch.from_numpy(theta), n, n_labels).numpy()

    other = solve_ivp(velocity, (0, 120), start.numpy(), "RK45", t_eval=times, rtol=1e-7, atol=1e-9)
    assert np.abs(other.y.T - path.numpy()).max() < 1e-3


def test_flow_goes_downhill_as_fast_as_its_steepness_says():
    times = np.geomspace(1, 300, 6000)
    path = flow(theta_of(0.01, 0.01, 0.01), times, 8, 32)
    losses = loss(path, 8, 32).numpy()
    assert (np.diff(losses) < 0).all()
    slope = -np.gradient(losses, np.log(times))
    expected = cliff.steepness(path, times, 8, 32)
    assert np.abs(slope - expected)[1:-1].max() < 0.02 * expected.max()


def test_edge_is_where_the_log_odds_are_one():
    start = np.full(3, 0.01)
    time, theta = edge(start, 4, 12)
    assert float(log_odds(torch.from_numpy(theta), 4)) == pytest.approx(1, abs=1e-4)
    path = flow(torch.from_numpy(start), np.array([time]), 4, 12)
    np.testing.assert_allclose(path[0].numpy(), theta, rtol=1e-4)


def test_edge_never_comes_from_a_point_without_slope():
    time, _ = edge(np.zeros(3), 4, 4)
    assert time == math.inf


# the true contexts, in which label k sees 2k - 1 other tokens


def true_loss(theta: torch.Tensor, n: int, n_labels: int) -> torch.Tensor:
    """The mean over label tokens, each with its own y in the place of the average one."""
    xi, alpha, beta = theta
    y = first_layer(beta, n)
    own = [beta.exp() / (beta.exp() + 2 * k - 1) for k in range(1, n + 1)]
    return torch.stack([loss(torch.stack([xi, alpha * y_k / y, beta]), n, n_labels) for y_k in own]).mean()


@given(numbers, numbers, numbers, sizes)
@by_hypothesis
def test_velocity_is_minus_the_gradient_in_both_contexts(xi, alpha, beta, size):
    n, n_labels = size[0], sum(size)
    theta = theta_of(xi, alpha, beta).requires_grad_()
    for others, value in (
        (average_context(n), loss(theta, n, n_labels)),
        (true_contexts(n), true_loss(theta, n, n_labels)),
    ):
        expected = -torch.autograd.grad(value, theta)[0].numpy()
        found = velocity(theta.detach().numpy(), n, n_labels, others)
        np.testing.assert_allclose(found, expected, atol=1e-12, rtol=1e-9)


@given(numbers, numbers, numbers, st.integers(2, 12))
@by_hypothesis
def test_log_odds_in_the_average_context_are_those_of_the_formula(xi, alpha, beta, n):
    theta = theta_of(xi, alpha, beta)
    assert head_flow.log_odds(theta.numpy(), n, average_context(n)) == pytest.approx(
        float(log_odds(theta, n)), abs=1e-12
    )


@pytest.mark.parametrize(
    ("point", "average", "true"), [((8, 32), 95.6, 78.5), ((24, 96), 447, 323), ((64, 3200), 1646, 1074)]
)
def test_true_contexts_bring_the_edge_forward(point, average, true):
    """By a fifth to a third, more where there are more pairs: the average context is not harmless."""
    start = np.full(3, 0.01)
    assert edge(start, *point)[0] == pytest.approx(average, rel=0.01)
    assert edge(start, *point, others=true_contexts(point[0]))[0] == pytest.approx(true, rel=0.01)


@pytest.mark.parametrize(("n", "n_labels", "left_by"), [(8, 32, 1.3), (64, 3200, 4.2)])
def test_only_the_average_flow_stays_on_the_surface(n, n_labels, left_by):
    start = np.full(3, 0.001)
    assert abs(cliff.off_the_surface(edge(start, n, n_labels)[1], n)) < 0.01
    there = edge(start, n, n_labels, others=true_contexts(n))[1]
    assert cliff.off_the_surface(there, n) == pytest.approx(left_by, abs=0.1)


@pytest.mark.parametrize("n", [3, 20])
def test_the_push_number_by_number_is_the_integral_on_the_surface(n):
    """In the average context beta is known in closed form, and 1 / y - 1 = N e^-beta."""
    expected = quad(lambda alpha: n * math.exp(-cliff.beta_on_the_flow(alpha, n)), 0, 60, limit=200)[0]
    expected += 2 / 60  # beyond, e^beta = N alpha^2 / 2, and the rest of the integral is 2 / alpha
    assert cliff.push_in(average_context(n)) == pytest.approx(expected, rel=1e-3)


def test_doubling_compares_rows_of_the_grid():
    grid = np.array([[3, 6], [3, 9], [6, 12], [6, 18]])
    found = cliff.doubling({"grid": grid, "times": np.array([10.0, 20, 25, 60])}, "times")
    assert found.tolist() == [[2.5, 3.0]]


# reading the three numbers off a network: an ideal network gives back its own


@given(st.floats(0.5, 20), st.floats(0.1, 8), st.floats(-1, 6), sizes.filter(lambda size: size[1] > 0))
@by_hypothesis
def test_fit_returns_the_numbers_of_an_ideal_network(xi, alpha, beta, size):
    n, n_labels = size[0], sum(size)
    theta = theta_of(xi, alpha, beta)
    y = first_layer(theta[2], n)
    correct, other = second_layer(theta[1] * y, n)
    seen = {
        "label_to_item": y[None],
        "target_to_correct": correct[None],
        "target_to_other": other[None],
        "context_mass": context_mass(theta, n, n_labels)[None],
    }
    task = cliff_in_network.Task(n_pairs=n, n_labels=n_labels, n_classes=n_labels, n_slots=2 * n + 1)
    by_contrast = cliff_in_network.match_from_contrast(seen["target_to_correct"], seen["target_to_other"])
    by_share = cliff_in_network.match_from_share(seen["target_to_correct"], n)
    for match in (by_contrast, by_share):
        found = cliff_in_network.fit(seen, task, match)[0]
        assert found[1:].tolist() == pytest.approx([alpha, beta], rel=1e-6, abs=1e-6)
        assert float(loss(found, n, n_labels)) == pytest.approx(float(loss(theta, n, n_labels)), abs=1e-6)


def run_of_two_halves(mass: float) -> dict:
    """A made-up run: an even guess with little mass until step 500, then the answer."""
    step = np.arange(0, 1001, 25.0)
    late = step >= 500
    return {
        "step": step,
        "edge": 500.0,
        "context_mass": np.where(late, 1.0, mass),
        "loss": np.where(late, 0.1, 3.0),
        "predicted_loss": np.where(late, 0.2, 2.8),
        "loss_from_mass": np.log(8) - np.log(np.where(late, 1.0, mass)),
    }


def test_what_is_built_in_and_what_is_not():
    """The guess from the mass alone correlates with a loss that falls where the mass rises: its r is no achievement."""
    claims = {claim.id: claim for claim in cliff_in_network.CLAIMS}
    m = run_of_two_halves(0.3)
    assert claims["mass-alone"].value(m) == pytest.approx(1) and claims["beyond-mass"].value(m) == pytest.approx(1)
    m["predicted_loss"] = m["loss_from_mass"] + np.sin(m["step"])
    assert not claims["beyond-mass"].holds(claims["beyond-mass"].value(m))
    assert claims["edge-above-plateau"].value(m) == 1


def test_without_an_edge_only_one_claim_applies_and_it_fails():
    m = run_of_two_halves(0.3) | {"edge": math.inf}
    applying = [c for c in cliff_in_network.CLAIMS if c.applies is None or c.applies(m)]
    assert [c.id for c in applying] == ["has-edge"] and not applying[0].holds(applying[0].value(m))
