"""The lab's solution passes its checks, wrong answers are told why, and what its text says is so."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from tests.drawn import of_this_commit

LAB = "train_the_one_step_learner"
CHECKS = {  # the function that finds problems, and the reader's function that it judges
    "problem_of_prompts": "draw_prompts",
    "problem_of_step": "one_step",
    "problem_of_square": "mean_of_C_squared",
    "problem_of_best_step": "best_step",
    "problem_of_layer": "attention_layer",
    "problem_of_weights": "one_step_weights",
    "problem_of_fold": "fold",
    "problem_of_predict": "predict",
    "problem_of_training": "training_step",
    "problem_of_sensitivities": "sensitivities",
    "problem_of_normal_form": "normal_form",
    "problem_of_best_steps": "best_steps",
}
PICTURES = 2
LOST = {"A_BEST", "BUILT", "TRAINED", "Z_TEST"}
Wrong = tuple[str, Callable, str]


# the checks


@pytest.mark.parametrize("check", CHECKS)
def test_the_solution_passes(lab, check):
    assert getattr(lab, check)(getattr(lab, CHECKS[check])) is None


def prompts_of(x, w, y=None):
    y = (x * w.reshape(-1, 1, w.shape[-1])).sum(-1) if y is None else y
    Z = torch.cat([x, y[..., None]], -1)
    Z[:, -1, -1] = 0
    return Z, y[:, -1]


def drawing(
    x: Callable = lambda b, n, d, g: torch.rand(b, n + 1, d, generator=g) - 0.5,
    w: Callable = lambda b, d, g: torch.randn(b, d, generator=g),
) -> Callable:
    """draw_prompts with this x and this w."""
    return lambda batch, g, n=10, d=10: prompts_of(x(batch, n, d, g), w(batch, d, g))


right_draw = drawing()


def answer_in_query(batch, g, n=10, d=10):
    Z, y = right_draw(batch, g, n, d)
    Z[:, -1, -1] = y
    return Z, y


def many_w(batch, g, n=10, d=10):
    x = torch.rand(batch, n + 1, d, generator=g) - 0.5
    return prompts_of(x, None, (x * torch.randn(batch, n + 1, d, generator=g)).sum(-1))


def first_y(batch, g, n=10, d=10):
    Z, _ = right_draw(batch, g, n, d)
    return Z, Z[:, 0, -1]


def one_in_query(batch, g, n=10, d=10):
    Z, y = right_draw(batch, g, n, d)
    Z[:, -1, -1] = 1
    return Z, y


def own_generator(batch, g, n=10, d=10):
    return right_draw(batch, torch.Generator().manual_seed(3), n, d)


def no_generator(batch, g, n=10, d=10):
    return right_draw(batch, None, n, d)


PROMPTS: list[Wrong] = [
    ("not centred", drawing(x=lambda b, n, d, g: torch.rand(b, n + 1, d, generator=g)), "no entry of x is negative"),
    ("wide", drawing(x=lambda b, n, d, g: 2 * torch.rand(b, n + 1, d, generator=g) - 1), "outside of -1/2 to 1/2"),
    ("normal", drawing(x=lambda b, n, d, g: torch.randn(b, n + 1, d, generator=g)), "outside of -1/2 to 1/2"),
    ("narrow", drawing(x=lambda b, n, d, g: (torch.rand(b, n + 1, d, generator=g) - 0.5) / 2), "spread by 0.14"),
    ("answer given", answer_in_query, "the answer stands in the query's token"),
    ("a 1 for the answer", one_in_query, "in the query's token y is not 0"),
    ("a w for each token", many_w, "no single w explains"),
    ("y of another", first_y, "the second answer is not the y of the query"),
    ("one w for all", drawing(w=lambda b, d, g: torch.randn(1, d, generator=g)), "all prompts have the same w"),
    ("uniform w", drawing(w=lambda b, d, g: torch.rand(b, d, generator=g)), "have mean 0.50 and standard deviation"),
    ("its own generator", own_generator, "repeats the prompts"),
    ("no generator", no_generator, "equal generators give different prompts"),
    ("Z alone", lambda *args: right_draw(*args)[0], "return the tensors Z and y"),
    ("transposed", lambda *args: (right_draw(*args)[0].mT, right_draw(*args)[1]), "Z has the shape (400, 4, 31)"),
]


def step(scale: Callable = lambda n: 1.0, mean: Callable = lambda products: products.mean(1)) -> Callable:
    """one_step, times a factor that may depend on n."""

    def predicted(Z, step_size):
        w_1 = step_size * mean(Z[:, :-1, -1:] * Z[:, :-1, :-1])
        return scale(Z.shape[1] - 1) * (w_1 * Z[:, -1, :-1]).sum(-1)

    return predicted


def solved_for_w(Z, step_size):
    w = torch.linalg.lstsq(Z[:, :-1, :-1], Z[:, :-1, -1:]).solution[..., 0]
    return (w * Z[:, -1, :-1]).sum(-1)


STEP: list[Wrong] = [
    ("up", step(lambda n: -1), "the sign is wrong"),
    ("a sum", step(mean=lambda p: p.sum(1)), "is not divided by n"),
    ("a sum, up", step(lambda n: -n), "not divided by n, and the sign is wrong"),
    ("the query counted", lambda Z, a: a * (Z[..., -1:] * Z[..., :-1]).mean(1).mul(Z[:, -1, :-1]).sum(-1), "by n + 1"),
    ("no 1/2 in R", step(lambda n: 2), "twice too long"),
    ("half", step(lambda n: 0.5), "half as long"),
    ("no step size", lambda Z, a: step()(Z, 1.0), "the step size is missing"),
    ("w_1", lambda Z, a: a * (Z[:, :-1, -1:] * Z[:, :-1, :-1]).mean(1), "that is w_1"),
    ("least squares", solved_for_w, "that solves for w"),
    ("zero", lambda Z, a: torch.zeros(len(Z)), "it predicts 0"),
    ("one example", step(mean=lambda p: p[:, 0]), "for the first prompt it gives"),
    ("a column", lambda Z, a: step()(Z, a)[:, None], "predictions has the shape (5, 1), not (5,)"),
]


def right_square(n, d, v, m4):
    return ((n - 1) * v**2 + m4 + (d - 1) * v**2) / n


SQUARE: list[Wrong] = [
    ("mean squared", lambda n, d, v, m4: v**2, "the square of the mean of C"),
    ("trace", lambda n, d, v, m4: d * right_square(n, d, v, m4), "the mean of the trace"),
    (
        "all different",
        lambda n, d, v, m4: v**2 + (m4 + (d - 1) * v**2) / n,
        "it is v^2 / n too large: n (n - 1) of the",
    ),
    ("all equal", lambda n, d, v, m4: (n - 1) / n * v**2 + m4 + (d - 1) * v**2, "only n of the n^2 pairs have i = k"),
    ("d, not d - 1", lambda n, d, v, m4: ((n - 1) * v**2 + m4 + d * v**2) / n, "meets d - 1 others, not d"),
    ("no fourth moment", lambda n, d, v, m4: ((n - 1) * v**2 + d * v**2) / n, "E[x^4] there"),
    ("fourth alone", lambda n, d, v, m4: ((n - 1) * v**2 + m4) / n, "meets the d - 1 others too"),
    ("no 1/n^2", lambda n, d, v, m4: n**2 * right_square(n, d, v, m4), "the 1/n^2 is missing"),
    ("one 1/n", lambda n, d, v, m4: n * right_square(n, d, v, m4), "n times too large"),
    ("Gaussian", lambda n, d, v, m4: v**2 * (n + d + 1) / n, "the average over all draws is"),
    ("two numbers", lambda n, d, v, m4: (v, m4), "return the number s"),
    ("nothing", lambda n, d, v, m4: None, "return the number s"),
]


def right_best(n, d, v, m4):
    s = right_square(n, d, v, m4)
    return v / s, d * v * (1 - v**2 / s) / 2


def best(step: Callable = lambda a, n, v: a, loss: Callable = lambda low, d, v: low) -> Callable:
    """best_step with this done to its two answers."""

    def answer(n, d, v, m4):
        a, low = right_best(n, d, v, m4)
        return step(a, n, v), loss(low, d, v)

    return answer


BEST_STEP: list[Wrong] = [
    ("for the mean of C", best(lambda a, n, v: 1 / v), "best if C were always equal to its mean"),
    ("upside down", best(lambda a, n, v: 1 / a), "one over the best step"),
    ("twice", best(lambda a, n, v: 2 * a), "at twice the best step"),
    ("half", best(lambda a, n, v: a / 2), "half the best step"),
    ("times n", best(lambda a, n, v: n * a), "n times too large"),
    ("minus", best(lambda a, n, v: -a), "the parabola is lowest at"),
    ("exchanged", lambda *args: right_best(*args)[::-1], "return the step first"),
    ("not halved", best(loss=lambda low, d, v: 2 * low), "the loss is half of it"),
    ("no d", best(loss=lambda low, d, v: low / d), "the factor d is missing"),
    ("no v", best(loss=lambda low, d, v: low / v), "the factor v is missing"),
    ("of predicting 0", best(loss=lambda low, d, v: d * v / 2), "the loss of predicting 0"),
    ("some loss", best(loss=lambda low, d, v: low + 1), "the step is right, but the loss is"),
    ("the step alone", lambda *args: right_best(*args)[0], "return the numbers step and loss"),
]


def attending(
    h: Callable = lambda logits: logits, read: int | None = -1, residual: float = 1.0, turn: Callable = lambda W: W.T
):
    """attention_layer, spoilt in one of these ways."""

    def layer(Z, V, Q, K):
        examples = Z[:, :read]
        return residual * Z + h((Z @ turn(Q)) @ (examples @ turn(K)).mT) @ (examples @ turn(V))

    return layer


right_layer = attending()


def in_place(Z, V, Q, K):
    Z += right_layer(Z, V, Q, K) - Z
    return Z


LAYER: list[Wrong] = [
    ("nothing added", lambda Z, V, Q, K: Z.clone(), "nothing is added"),
    ("no residual", attending(residual=0.0), "the residual is missing"),
    ("reads the query", attending(read=None), "the query's token is read too"),
    ("transposed", attending(turn=lambda W: W), "all three are transposed"),
    ("V transposed", lambda Z, V, Q, K: right_layer(Z, V.T, Q, K), "V is transposed"),
    ("Q, K transposed", lambda Z, V, Q, K: right_layer(Z, V, Q.T, K.T), "Q and K are transposed"),
    ("exchanged", lambda Z, V, Q, K: right_layer(Z, V, K, Q), "Q and K are exchanged"),
    ("softmax", attending(h=lambda logits: logits.softmax(-1)), "the layer with a softmax"),
    ("root of d + 1", attending(h=lambda logits: logits / 2), "divided by the root of d + 1"),
    ("divided by n", attending(h=lambda logits: logits / logits.shape[-1]), "it is divided by n"),
    ("twice", lambda Z, V, Q, K: right_layer(right_layer(Z, V, Q, K), V, Q, K), " of prompt "),
    ("in place", in_place, "it changes the Z that it was given"),
    ("query alone", lambda Z, V, Q, K: right_layer(Z, V, Q, K)[:, -1], "Z has the shape (5, 4), not (5, 7, 4)"),
    ("keys as Z", lambda Z, V, Q, K: Z + (Z @ Q.T) @ (Z @ K.T) @ (Z @ V.T), "it raised RuntimeError"),
]


def corner(d, scale):
    V = torch.zeros(d + 1, d + 1)
    V[d, d] = scale
    return V


def reads_x(d):
    return torch.eye(d + 1) - corner(d, 1)


def built(value: Callable, query: Callable = reads_x, key: Callable = reads_x) -> Callable:
    """one_step_weights with this last entry of V."""
    return lambda a, n, d: (corner(d, value(a, n)), query(d), key(d))


WEIGHTS: list[Wrong] = [
    ("plus", built(lambda a, n: a / n), "the sign is wrong"),
    ("no 1/n", built(lambda a, n: -a), "is not divided by n"),
    ("no 1/n, plus", built(lambda a, n: a), "not divided by n, and the sign is wrong"),
    ("a twice", built(lambda a, n: -a / n, query=lambda d: 3.0 * reads_x(d)), "the step size is in there twice"),
    ("no a", built(lambda a, n: -1 / n), "the step size is missing"),
    ("n twice", built(lambda a, n: -a / n**2), "divided by n twice"),
    (
        "Q and K read y",
        built(lambda a, n: -a / n, lambda d: torch.eye(d + 1), lambda d: torch.eye(d + 1)),
        "read x only",
    ),
    ("zeros", built(lambda a, n: 0.0), "stays at 0"),
    ("Q reads y", built(lambda a, n: -a / n, query=lambda d: corner(d, 1)), "stays at 0"),
    ("V all over", lambda a, n, d: (-a / n * torch.eye(d + 1), reads_x(d), reads_x(d)), "the layer changes x"),
    (
        "V reads x",
        lambda a, n, d: (corner(d, -a / n).roll(-1, 1), reads_x(d), reads_x(d)),
        "V reads y only, Q and K compare x to x",
    ),
    ("blocks", lambda a, n, d: (corner(d, -a / n), torch.eye(d), torch.eye(d)), "Q has the shape (3, 3), not (4, 4)"),
    ("V alone", lambda a, n, d: corner(d, -a / n), "return the tensors V and Q and K"),
]


def right_fold(Z):
    return Z[:, :-1].mT @ Z[:, :-1]


FOLD: list[Wrong] = [
    ("with the query", lambda Z: Z.mT @ Z, "the query's token is in the sum"),
    ("mean", lambda Z: right_fold(Z) / (Z.shape[1] - 1), "it is divided by n"),
    ("tokens", lambda Z: Z[:, :-1] @ Z[:, :-1].mT, "compares tokens with tokens"),
    ("one for all", lambda Z: right_fold(Z).sum(0).expand(len(Z), -1, -1), "adds up the prompts"),
    ("x only", lambda Z: right_fold(Z)[:, :-1, :-1], "G has the shape (5, 3, 3), not (5, 4, 4)"),
    ("first example", lambda Z: Z[:, :1].mT @ Z[:, :1], "the sum of the squares there is"),
]


def folded(product: Callable, row: Callable = lambda V: V[-1], sign: int = -1) -> Callable:
    """predict, with this product of Q and K and this row of V."""
    return lambda G, query, V, Q, K: sign * ((query @ product(Q, K).T)[:, None] @ G)[:, 0] @ row(V)


PREDICT: list[Wrong] = [
    ("plus", folded(lambda Q, K: K.T @ Q, sign=1), "the sign is wrong"),
    ("column of V", folded(lambda Q, K: K.T @ Q, row=lambda V: V[:, -1]), "the last column of V"),
    ("Q^T K", folded(lambda Q, K: Q.T @ K), "that is Q^T K"),
    ("K Q^T", folded(lambda Q, K: K @ Q.T), "that is K Q^T"),
    ("whole token", lambda G, query, V, Q, K: -(query @ (K.T @ Q).T) @ V.T, "that is a whole token"),
    ("Q K", folded(lambda Q, K: Q @ K), "for the first prompt it gives"),
    ("first row", folded(lambda Q, K: K.T @ Q, row=lambda V: V[0]), "for the first prompt it gives"),
    ("added up", lambda *args: folded(lambda Q, K: K.T @ Q)(*args).sum(), "predictions has the shape (), not (5,)"),
]


def loss_of(weights, prompts, sign=1):
    Z, y = prompts
    return (sign * folded(lambda Q, K: K.T @ Q)(right_fold(Z), Z[:, -1], *weights) - y).square().mean() / 2


def training(
    loss: Callable = loss_of,
    zero: bool = True,
    before: Callable = lambda optimizer, weights: None,
    draw: Callable = right_draw,
    returned: Callable = lambda loss: loss.item(),
) -> Callable:
    """training_step, spoilt in one of these ways; `before` comes between backward and step."""

    def stepping(weights, optimizer, generator, batch=512):
        value = loss(weights, draw(batch, generator))
        if zero:
            optimizer.zero_grad()
        value.backward()
        before(optimizer, weights)
        optimizer.step()
        return returned(value)

    return stepping


def climb(optimizer, weights):
    for w in weights:
        w.grad.neg_()


def freeze_v(optimizer, weights):
    weights[0].grad.zero_()


TRAINING: list[Wrong] = [
    ("not halved", training(lambda w, p: 2 * loss_of(w, p)), "take half of it"),
    ("a sum", training(lambda w, p: 512 * loss_of(w, p)), "take the mean"),
    ("a whole sum", training(lambda w, p: 1024 * loss_of(w, p)), "take half of the mean"),
    ("plus", training(lambda w, p: loss_of(w, p, sign=-1)), "different signs"),
    ("absolute", training(lambda w, p: loss_of(w, p).sqrt()), "the loss of the first prompts is"),
    ("no step", lambda w, o, g, batch=512: loss_of(w, right_draw(batch, g)).item(), "the weights stay as they were"),
    ("zeroed late", training(before=lambda o, w: o.zero_grad()), "the weights stay as they were"),
    ("climbing", training(before=climb), "the weights climb"),
    ("V frozen", training(before=freeze_v), "not one step down the gradient"),
    ("same prompts", training(draw=lambda b, g: right_draw(b, torch.Generator().manual_seed(6))), "draw them anew"),
    ("not zeroed", training(zero=False), "optimizer.zero_grad()"),
    ("graph kept", training(returned=lambda loss: loss), "return loss.item()"),
    ("nothing returned", training(returned=lambda loss: None), "return the number loss"),
    ("other prompts", training(draw=lambda b, g: right_draw(b, None)), "the loss of the first prompts is"),
]


def differentiated(pick: Callable, total: Callable = torch.sum) -> Callable:
    """sensitivities that picks this from the gradient with respect to Z."""

    def gradients(predictor, Z):
        Z = Z.clone().requires_grad_()
        return pick(torch.autograd.grad(total(predictor(Z)), Z)[0])

    return gradients


def of_given(predictor, Z):
    Z.requires_grad_()
    return torch.autograd.grad(predictor(Z).sum(), Z)[0][:, -1, :-1]


def rate(predictor, Z):
    """As if the predictor were linear in x_query."""
    small = Z.clone()
    small[:, -1, :-1] = 0
    return differentiated(lambda g: g[:, -1, :-1])(predictor, small)


SENSITIVITIES: list[Wrong] = [
    ("all tokens", differentiated(lambda g: g), "for all tokens"),
    ("whole token", differentiated(lambda g: g[:, -1]), "for the whole token; leave out its y"),
    ("averaged", differentiated(lambda g: g[:, -1, :-1], torch.mean), "divided by the batch"),
    ("first example", differentiated(lambda g: g[:, 0, :-1]), "for the first example"),
    ("linear", rate, "right for a linear predictor only"),
    ("one vector", differentiated(lambda g: g[:, -1, :-1].sum(0)), "sensitivities has the shape (3,), not (5, 3)"),
    ("all added", differentiated(lambda g: g[:, :, :-1].sum(1)), "for the first prompt it gives"),
    ("given Z", of_given, "leaves requires_grad on the Z"),
    ("no graph", lambda predictor, Z: torch.autograd.grad(predictor(Z).sum(), Z)[0], "it raised RuntimeError"),
]


def parts(V, Q, K):
    A = (K.T @ Q)[:, :-1]
    return V[-1], A, A.diagonal().mean()


def form(of: Callable) -> Callable:
    """normal_form, from v, A and gamma."""
    return lambda V, Q, K: of(*parts(V, Q, K))


NORMAL_FORM: list[Wrong] = [
    ("A alone", form(lambda v, A, g: A / g), "return both, v and A"),
    ("v not scaled", form(lambda v, A, g: (v, A / g)), "A is divided by gamma, but v is not"),
    ("A not scaled", form(lambda v, A, g: (g * v, A)), "v is multiplied by gamma, but A is not"),
    ("nothing scaled", form(lambda v, A, g: (v, A)), "A's diagonal has the mean"),
    ("both multiplied", form(lambda v, A, g: (g * v, g * A)), "both are multiplied by gamma"),
    ("trace", form(lambda v, A, g: (3 * g * v, A / (3 * g))), "the trace of A's diagonal is 1"),
    ("norm", form(lambda v, A, g: (A.norm() * v, A / A.norm())), "A's diagonal has the mean"),
    ("all columns", lambda V, Q, K: (V[-1], K.T @ Q), "leave out the last column"),
    ("column of V", lambda V, Q, K: form(lambda v, A, g: (g * V[:, -1], A / g))(V, Q, K), "the last column of V"),
    ("Q^T K", lambda V, Q, K: form(lambda v, A, g: (g * v, A / g))(V, K, Q), "that is Q^T K"),
    ("K Q^T", lambda V, Q, K: form(lambda v, A, g: (g * v, A / g))(V, Q.T, K.T), "that is K Q^T"),
    ("inverse", form(lambda v, A, g: (v / g, A * g)), "A's diagonal has the mean"),
    ("both divided", form(lambda v, A, g: (v / g, A / g)), "predict something else"),
]


def each(steps: Callable) -> Callable:
    """best_steps, from lambda, trace and n."""
    return lambda lam, n: steps(lam, lam.sum(), n)


def right_steps(lam, n):
    return 1 / ((n + 1) / n * lam + lam.sum() / n)


def single(lam, n):
    return ((lam**2).sum() / (lam**2 / right_steps(lam, n)).sum()).expand(len(lam))


BEST_STEPS: list[Wrong] = [
    ("minus", lambda lam, n: -right_steps(lam, n), "the sign is wrong"),
    ("upside down", lambda lam, n: 1 / right_steps(lam, n), "one over the best steps"),
    ("inverse", lambda lam, n: 1 / lam, "best if C were always equal to its mean"),
    ("n for n + 1", each(lambda lam, trace, n: 1 / (lam + trace / n)), "3 lambda^2, not 1"),
    ("no trace", each(lambda lam, trace, n: n / ((n + 1) * lam)), "the others too: the trace"),
    ("trace not over n", each(lambda lam, trace, n: 1 / ((n + 1) / n * lam + trace)), "only n of the n^2 pairs"),
    ("trace counted twice", each(lambda lam, trace, n: 1 / ((n + 2) / n * lam + trace / n)), "two remain, not three"),
    ("s", lambda lam, n: lam / right_steps(lam, n), "these are the s_j"),
    ("single", single, "that is the best single step"),
    ("mean of lambda", lambda lam, n: 1 / lam.mean().expand(len(lam)), "best are"),
    ("one number", lambda lam, n: 1 / lam.mean(), "steps has the shape (), not (2,)"),
]
WRONG = dict(
    zip(
        CHECKS,
        (
            PROMPTS,
            STEP,
            SQUARE,
            BEST_STEP,
            LAYER,
            WEIGHTS,
            FOLD,
            PREDICT,
            TRAINING,
            SENSITIVITIES,
            NORMAL_FORM,
            BEST_STEPS,
        ),
        strict=True,
    )
)


@pytest.mark.parametrize(
    ("check", "answer", "says"),
    [
        pytest.param(check, answer, says, id=f"{check}-{name}")
        for check in CHECKS
        for name, answer, says in WRONG[check]
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(lab, capsys, check, answer, says):
    lab.check(getattr(lab, check), answer)
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("not yet: ") and says in said, said


def test_other_right_answers_pass(lab):
    """The step size may stand in any of the three matrices, and the rows that do nothing may hold anything."""
    assert lab.problem_of_weights(lambda a, n, d: (corner(d, -1 / n), a * reads_x(d), reads_x(d))) is None
    assert lab.problem_of_layer(right_layer) is None
    assert lab.problem_of_prompts(right_draw) is None
    assert lab.problem_of_training(training()) is None
    assert lab.problem_of_normal_form(form(lambda v, A, g: (g * v, A / g))) is None


# what the text says


def test_the_layer_is_the_step_in_every_token(lab):
    Z, _ = lab.draw_prompts(500, torch.Generator().manual_seed(7))
    Z = Z.double()
    after = lab.attention_layer(Z, *(W.double() for W in lab.one_step_weights(2.5, 10, 10)))
    w_1 = 2.5 * (Z[:, :-1, -1:] * Z[:, :-1, :-1]).mean(1)
    assert (after[:, :, -1] - (Z[:, :, -1] - (Z[:, :, :-1] * w_1[:, None]).sum(-1))).abs().max() < 1e-6
    assert torch.equal(after[:, :, :-1], Z[:, :, :-1])


def test_the_computed_optimum_is_that_of_the_papers_setting(lab):
    assert pytest.approx(6.0606, abs=1e-4) == lab.A_BEST and pytest.approx(0.2062, abs=1e-4) == lab.LOSS_BEST
    assert pytest.approx(0.4167, abs=1e-4) == lab.LOSS_ZERO


def test_the_trained_layer_is_the_step(lab):
    trained = lab.predictions_of(lab.TRAINED, lab.Z_TEST)
    assert lab.loss_of(trained) < 1.01 * lab.loss_of(lab.by_hand)
    assert (trained - lab.by_hand).abs().mean() < 0.03 and 0.4 < lab.by_hand.abs().mean() < 0.6
    v, A = lab.normal_form(*lab.TRAINED)
    assert -10 * v[-1] == pytest.approx(lab.A_BEST, rel=0.03)
    assert (A - torch.eye(11)[:, :10]).abs().max() < 0.05 and (v[:-1] / v[-1]).abs().max() < 0.1


def test_what_no_gradient_reaches_stays(lab):
    """Step 10: all rows of V but the last, and the last column of Q."""
    (V, Q, K), (V_0, Q_0, K_0) = lab.TRAINED, lab.train(1, n_steps=0)[0]
    assert torch.equal(V[:-1], V_0[:-1]) and torch.equal(Q[:, -1], Q_0[:, -1])
    assert (V[-1] != V_0[-1]).all() and (Q[:, :-1] != Q_0[:, :-1]).all() and (K != K_0).all()


def test_the_stuck_layer_takes_the_step_in_one_direction(lab):
    """Its loss is that of the best step along one direction, computed; and seed 0 leaves it near step 4000."""
    assert abs(sum(lab.stuck_losses[-200:]) / 200 - lab.one_direction) < 0.006
    V, Q, K = lab.STUCK
    assert abs(torch.cosine_similarity(V[-1, :-1], (K.T @ Q)[-1, :-1], 0)) > 0.99
    curve = lab.smoothed(lab.losses_of_seed_0)
    assert curve[1000:3500].min() > 0.36 and curve[-500:].mean() < 0.22
    assert 3500 < (curve < 0.36).nonzero()[0] < 4300


def test_a_step_in_one_direction_gains_a_dth(lab):
    direction = torch.zeros(10)
    direction[3] = 1
    w_1 = lab.A_BEST * (lab.Z_TEST[:, :-1, -1:] * lab.Z_TEST[:, :-1, :-1]).mean(1)
    part = ((w_1 @ direction) * (lab.Z_TEST[:, -1, :-1] @ direction)).flatten()
    gain, whole = (lab.loss_of(torch.zeros(1)) - lab.loss_of(p) for p in (part, lab.by_hand))
    assert gain / whole == pytest.approx(0.1, abs=0.01)


def test_the_four_terms_of_step_10_are_the_prediction(lab):
    Z, _ = lab.draw_prompts(50, torch.Generator().manual_seed(8))
    V, Q, K = torch.randn(3, 11, 11, generator=torch.Generator().manual_seed(9))
    v, A = V[-1], (K.T @ Q)[:, :-1]
    x, y, q = Z[:, :-1, :-1], Z[:, :-1, -1:], Z[:, -1, :-1]
    asked, asked_y = q @ A[:-1].T, q @ A[-1]
    terms = [
        v[-1] * ((y * x).sum(1) * asked).sum(-1),
        ((x * y).sum(1) @ v[:-1]) * asked_y,
        ((x @ v[:-1])[..., None] * x).sum(1).mul(asked).sum(-1),
        v[-1] * y.square().sum((1, 2)) * asked_y,
    ]
    assert torch.allclose(-sum(terms), lab.predict(lab.fold(Z), Z[:, -1], V, Q, K), atol=1e-3)


def test_the_preconditioned_losses(lab):
    """Half of Ahn et al.'s loss at their eigenvalues: theorem 1, the best single step, one over lambda."""
    a = lab.best_steps(lab.LAMBDA, 20)
    assert a.tolist() == pytest.approx([0.8226, 0.8226, 2.3358, 4.3243, 0.8226], abs=1e-3)
    s = lab.LAMBDA / a
    losses = {
        name: ((lab.LAMBDA * (1 - 2 * t * lab.LAMBDA + t**2 * s)).sum() / 2).item()
        for name, t in lab.candidates.items()
    }
    assert list(losses.values()) == pytest.approx([1.6562, 0.4969, 0.3768, 0.3409], abs=1e-3)


def test_more_examples_are_of_no_use_to_a_layer_built_for_fewer(lab):
    """Exercise 3."""
    s = lab.mean_of_C_squared(20, 10, lab.V_X, lab.M4_X)
    a = 2 * lab.A_BEST
    assert s == pytest.approx(0.01035, abs=1e-5) and a == pytest.approx(12.1, abs=0.05)
    assert 10 * lab.V_X * (1 - 2 * a * lab.V_X + a**2 * s) / 2 == pytest.approx(0.208, abs=5e-4)
    assert lab.best_step(20, 10, lab.V_X, lab.M4_X) == pytest.approx((8.05, 0.137), abs=5e-3)
    Z, y = lab.draw_prompts(50_000, torch.Generator().manual_seed(1), n=20)
    assert (lab.predictions_of(lab.BUILT, Z) - y).square().mean() / 2 == pytest.approx(0.208, abs=0.006)


def repeated(lab, share, times):
    weights, Z, losses = lab.one_step_weights(share * lab.A_BEST, 10, 10), lab.Z_TEST, []
    for _ in range(times):
        Z = lab.attention_layer(Z, *weights)
        losses.append(lab.loss_of(-Z[:, -1, -1]))
    return losses


def test_the_best_single_step_is_too_bold_to_repeat(lab):
    """Exercise 2."""
    losses = repeated(lab, 1.0, 8)
    assert losses[:5] == pytest.approx([0.205, 0.155, 0.132, 0.120, 0.116], abs=6e-4)
    assert losses[4] < losses[5] < losses[6] < losses[7]
    damped = repeated(lab, 0.75, 12)
    assert all(later < earlier for earlier, later in pairwise(damped))
    C = lab.fold(lab.Z_TEST[:5000])[:, :-1, :-1] / 10
    assert 0.02 < (torch.linalg.eigvalsh(C)[:, -1] > 2 / lab.A_BEST).float().mean() < 0.04


def leaves(lab, losses, level=0.36):
    """The step by which the mean of 20 losses is below the level, or infinity."""
    below = (lab.smoothed(losses) < level).nonzero()
    return below[0].item() + 20 if len(below) else float("inf")


def train_otherwise(lab, seed, rate, heads, steps=1000):
    """As `train`, with another rate or more heads; until it has left the plateau."""
    generator = torch.Generator().manual_seed(seed)
    weights = [0.1 * torch.randn(11, 11, generator=generator) for _ in range(3 * heads)]
    weights = [w.requires_grad_() for w in weights]
    optimizer = torch.optim.Adam(weights, lr=rate)
    losses = []
    for step in range(steps):
        if step == 3 * steps // 4:
            optimizer.param_groups[0]["lr"] = rate / 10
        Z, y = lab.draw_prompts(512, generator)
        G = lab.fold(Z)
        predicted = sum(lab.predict(G, Z[:, -1], *weights[3 * h : 3 * h + 3]) for h in range(heads))
        loss = (predicted - y).square().mean() / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step % 50 == 49 and leaves(lab, losses) < float("inf"):
            break
    return losses


@pytest.mark.pipeline
def test_which_seeds_leave_the_plateau(lab):
    """Step 8 and exercise 1: twenty seeds, with one head, with two, and with a higher rate; six on this commit."""
    seeds = of_this_commit(range(20), 6)
    losses = train_otherwise(lab, 1, 1e-3, heads=1)
    assert losses == pytest.approx(lab.train(1)[1][: len(losses)], rel=1e-4)  # the lab's own way, cut short
    for seed in seeds:
        one = leaves(lab, train_otherwise(lab, seed, 1e-3, heads=1))
        assert one > 1000 if seed in (0, 8, 12, 18) else one <= 310, seed
        two = leaves(lab, train_otherwise(lab, seed, 1e-3, heads=2))
        assert two > 950 if seed == 0 else two <= 180, seed
        assert leaves(lab, train_otherwise(lab, seed, 5e-3, heads=1)) <= 475, seed
