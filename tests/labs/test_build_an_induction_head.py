"""The lab's solution passes its checks, wrong answers are told why, and what its text says is so."""

from collections.abc import Callable

import pytest
import torch

LAB = "build_an_induction_head"
CHECKS = {  # the function that finds problems, and the reader's function that it judges
    "problem_of_attention": "attention",
    "problem_of_previous_token": "previous_token_weights",
    "problem_of_copy_to_buffer": "copy_to_buffer",
    "problem_of_matching": "matching_weights",
    "problem_of_copying": "copying_weights",
    "problem_of_accuracy": "accuracy_on_second_copy",
    "problem_of_prefix_matching": "prefix_matching_score",
    "problem_of_look_back": "look_back_weights",
}
PICTURES = 1
Wrong = tuple[str, Callable, str]


# the checks


@pytest.mark.parametrize("check", CHECKS)
def test_the_solution_passes(lab, check):
    assert getattr(lab, check)(getattr(lab, CHECKS[check])) is None


V, P = 27, 64  # as in the lab
D = 2 * V + P
CONTENT, POSITION, BUFFER = slice(0, V), slice(V, V + P), slice(V + P, D)


def causal(scores):
    return scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)


def with_pattern(pattern_of: Callable) -> Callable:
    """Attention with this function from Q and K to the pattern."""
    return lambda Q, K, V: ((p := pattern_of(Q, K)), p @ V)


def right_attention(Q, K, V):
    pattern = causal(Q @ K.T).softmax(-1)
    return pattern, pattern @ V


def self_masked(Q, K):
    return (Q @ K.T).masked_fill(torch.ones(len(Q), len(Q)).triu(0).bool(), -torch.inf).softmax(-1)


ATTENTION: list[Wrong] = [
    ("no mask", with_pattern(lambda Q, K: (Q @ K.T).softmax(-1)), "token 1 sees the future: it attends to token 4"),
    ("masked with 0", with_pattern(lambda Q, K: (Q @ K.T).tril().softmax(-1)), "sees the future"),
    ("transposed mask", with_pattern(lambda Q, K: causal((Q @ K.T).T).T.softmax(-1)), "sees the future"),
    ("over queries", with_pattern(lambda Q, K: causal(Q @ K.T).softmax(0)), "columns add up to 1, rows should"),
    ("mask after", with_pattern(lambda Q, K: (Q @ K.T).softmax(-1).tril()), "row 0 of the pattern adds up to"),
    ("not itself", with_pattern(self_masked), "pattern has NaN, first in row 0: that token sees nothing"),
    ("scaled", with_pattern(lambda Q, K: causal(Q @ K.T / 2).softmax(-1)), "divided by the root of d_head"),
    ("exchanged", with_pattern(lambda Q, K: causal(K @ Q.T).softmax(-1)), "queries and keys are exchanged"),
    ("no softmax", with_pattern(lambda Q, K: (Q @ K.T).tril()), "adds up to"),
    ("uniform", with_pattern(lambda Q, K: causal(0 * Q @ K.T).softmax(-1)), "should be the products of query and key"),
    ("output alone", lambda Q, K, V: right_attention(Q, K, V)[1], "return the tensors pattern and output"),
    ("wrong order", lambda Q, K, V: right_attention(Q, K, V)[::-1], "pattern has the shape (5, 3), not (5, 5)"),
    ("values twice", lambda Q, K, V: ((p := right_attention(Q, K, V)[0]), p @ p @ V), "output is not the sum of"),
    ("nothing", lambda Q, K, V: None, "return the tensors pattern and output"),
]


def looking(offset: int, beta_q: float, beta_k: float = 1.0, rows: slice = POSITION, n: int = P):
    """W_Q and W_K with which each of n positions looks `offset` back."""
    W_Q, W_K = torch.zeros(D, n), torch.zeros(D, n)
    W_Q[rows] = beta_q * torch.ones(n - abs(offset)).diag(-offset)
    W_K[rows] = beta_k * torch.eye(n)
    return W_Q, W_K


def plus_diagonal(beta):
    W_Q, W_K = looking(1, beta)
    W_Q[POSITION] += torch.eye(P)
    return W_Q, W_K


PREVIOUS_TOKEN: list[Wrong] = [
    ("itself", lambda beta: looking(0, beta), "token 32 looks at itself, not at token 31"),
    ("the next", lambda beta: looking(-1, beta), "looks at token 33, which is in the future"),
    ("two back", lambda beta: looking(2, beta), "token 32 looks 2 back, not 1 back"),
    ("beta twice", lambda beta: looking(1, beta, beta), "the logit is beta squared"),
    ("no beta", lambda beta: looking(1, 1.0), "logit from 32 to 31 is 1.00, not beta = 3"),
    ("minus beta", lambda beta: looking(1, -beta), "gives a positive logit to no token"),
    ("content", lambda beta: looking(1, beta, rows=CONTENT, n=V), "the logits change with the tokens"),
    ("itself too", plus_diagonal, "also gives the logit 1.00 to token"),
    ("rows only of positions", lambda beta: tuple(w[POSITION] for w in looking(1, beta)), "has the shape (64, 64)"),
    ("two sizes", lambda beta: (torch.zeros(D, P), torch.zeros(D, V)), "d_head is one"),
    ("one matrix", lambda beta: looking(1, beta)[0], "return the tensors W_Q and W_K"),
    ("zeros", lambda beta: (torch.zeros(D, P), torch.zeros(D, P)), "gives a positive logit to no token"),
]


def block(reads: slice, writes: slice, scale: float = 1.0):
    W = torch.zeros(D, D)
    W[reads, writes] = scale * torch.eye(reads.stop - reads.start, writes.stop - writes.start)
    return W


def ones(reads: slice, writes: slice):
    W = torch.zeros(D, D)
    W[reads, writes] = 1
    return W


COPY_TO_BUFFER: list[Wrong] = [
    ("transposed", lambda: block(BUFFER, CONTENT), "reads BUFFER and writes CONTENT: rows are read"),
    ("into content", lambda: block(CONTENT, CONTENT), "it writes CONTENT"),
    ("everything", lambda: torch.eye(D), "it writes CONTENT"),
    ("position", lambda: block(POSITION, BUFFER), "it copies POSITION into the buffer"),
    ("both", lambda: block(CONTENT, BUFFER) + block(BUFFER, BUFFER), "it copies BUFFER into the buffer"),
    ("zeros", lambda: torch.zeros(D, D), "the buffer stays empty"),
    ("all ones", lambda: ones(CONTENT, BUFFER), "something else than the content"),
    ("doubled", lambda: block(CONTENT, BUFFER, 2.0), "something else than the content"),
    ("the block alone", lambda: torch.eye(V), "W_OV has the shape (27, 27), not (118, 118)"),
]


def heads(query: slice, key: slice, alpha_q: float, alpha_k: float = 1.0):
    n = query.stop - query.start
    W_Q, W_K = torch.zeros(D, n), torch.zeros(D, n)
    W_Q[query], W_K[key] = alpha_q * torch.eye(n), alpha_k * torch.eye(n)
    return W_Q, W_K


def matching_and_position(alpha):
    W_Q, W_K = torch.zeros(D, D), torch.zeros(D, D)
    W_Q[CONTENT, CONTENT], W_K[BUFFER, CONTENT] = alpha * torch.eye(V), torch.eye(V)
    W_Q[POSITION, POSITION] = W_K[POSITION, POSITION] = torch.eye(P)
    return W_Q, W_K


MATCHING: list[Wrong] = [
    ("itself", lambda alpha: heads(CONTENT, CONTENT, alpha), "a token looks at itself and its copy"),
    ("exchanged", lambda alpha: heads(BUFFER, CONTENT, alpha), "query and key are exchanged"),
    ("buffers", lambda alpha: heads(BUFFER, BUFFER, alpha), "the query reads BUFFER"),
    ("alpha twice", lambda alpha: heads(CONTENT, BUFFER, alpha, alpha), "alpha squared"),
    ("no alpha", lambda alpha: heads(CONTENT, BUFFER, 1.0), "has the logit 1.00, not alpha = 3"),
    ("scaled", lambda alpha: heads(CONTENT, BUFFER, alpha / V**0.5), "not alpha = 3"),
    ("position too", matching_and_position, "the query reads CONTENT only, the key BUFFER only"),
    ("zeros", lambda alpha: (torch.zeros(D, V), torch.zeros(D, V)), "the head looks nowhere"),
    ("blocks alone", lambda alpha: (alpha * torch.eye(V), torch.eye(V)), "W_Q has the shape (27, 27)"),
]


def unembedding(reads: slice, scale: float = 1.0):
    W = torch.zeros(D, V)
    W[reads] = scale * torch.eye(V)
    return W


COPYING: list[Wrong] = [
    ("copies the buffer", lambda g: (block(BUFFER, CONTENT, g), unembedding(CONTENT)), "W_OV copies BUFFER"),
    ("no gain", lambda g: (block(CONTENT, CONTENT), unembedding(CONTENT)), "with strength 1, not with the gain"),
    ("into the buffer", lambda g: (block(CONTENT, BUFFER, g), unembedding(BUFFER)), "W_OV writes outside CONTENT"),
    ("everything", lambda g: (g * torch.eye(D), unembedding(CONTENT)), "W_OV writes outside CONTENT"),
    ("nothing", lambda g: (torch.zeros(D, D), unembedding(CONTENT)), "what W_OV adds is not the gain times"),
    ("names the buffer", lambda g: (block(CONTENT, CONTENT, g), unembedding(BUFFER)), "W_U reads BUFFER"),
    ("gain twice", lambda g: (block(CONTENT, CONTENT, g), unembedding(CONTENT, g)), "W_U multiplies by the gain too"),
    ("W_U transposed", lambda g: (block(CONTENT, CONTENT, g), unembedding(CONTENT).T), "W_U has the shape (27, 118)"),
    ("W_OV alone", lambda g: block(CONTENT, CONTENT, g), "return the tensors W_OV and W_U"),
]


def share(predicted, wanted):
    return (predicted == wanted).float().mean().item()


ACCURACY: list[Wrong] = [
    ("same position", lambda x, t, n: share(x.argmax(1)[n + 1 : -1], t[n + 1 : -1]), "with the token at t, not with"),
    ("first copy too", lambda x, t, n: share(x.argmax(1)[:-1], t[1:]), "before position length + 1"),
    ("one too early", lambda x, t, n: share(x.argmax(1)[n:-1], t[n + 1 :]), "before position length + 1"),
    ("one missing", lambda x, t, n: share(x.argmax(1)[n + 2 : -1], t[n + 3 :]), "three of four are right, not 0.75"),
    ("a count", lambda x, t, n: share(x.argmax(1)[n + 1 : -1], t[n + 2 :]) * (n - 1), "it gives 4.00"),
    ("always right", lambda x, t, n: 1.0, "with the token at t, not with the next"),
    (
        "shapes",
        lambda x, t, n: share(x.argmax(0)[n + 1 : -1], t[n + 2 :]),
        "it raised RuntimeError: The size of tensor a (20)",
    ),
]


def weights(offset: int, first: int = 1) -> Callable:
    """Mean weight on the token `length - offset` back, of the second copy and on."""

    def score(pattern, n):
        t = torch.arange(n + first, 2 * n + 1)
        return pattern[t, t - n + offset].mean().item()

    return score


PREFIX_MATCHING: list[Wrong] = [
    ("the same token", weights(0), "the weight on the earlier copy (t - length)"),
    ("the token before", lambda p, n: p.diagonal(-1)[n:].mean().item(), "the weight on the token before"),
    ("a sum", lambda p, n: weights(1)(p, n) * n, "take their mean"),
    ("all tokens", lambda p, n: p.diagonal(1 - n).sum().item() / len(p), "it averages over all tokens"),
    ("two after", weights(2), "it gives 0.00 for a pattern whose score is 0.60"),
    ("the whole pattern", lambda p, n: p.mean().item(), "it gives"),
]
LOOK_BACK: list[Wrong] = [
    ("always one", lambda d, beta: looking(1, beta), "with distance 4: token 32 looks 1 back, not 4 back"),
    ("one further", lambda d, beta: looking(d + 1, beta), "with distance 1: token 32 looks 2 back, not 1 back"),
    ("one less", lambda d, beta: looking(d - 1, beta), "with distance 1: token 32 looks at itself"),
    ("ahead", lambda d, beta: looking(-d, beta), "which is in the future"),
    ("distance as strength", lambda d, beta: looking(1, d * beta), "with distance 4: token 32 looks 1 back"),
]
WRONG = dict(
    zip(
        CHECKS,
        (ATTENTION, PREVIOUS_TOKEN, COPY_TO_BUFFER, MATCHING, COPYING, ACCURACY, PREFIX_MATCHING, LOOK_BACK),
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


def test_an_answer_that_raises_is_told_so(lab, capsys):
    lab.check(lab.problem_of_attention, lambda Q, K, V: Q @ K)
    assert capsys.readouterr().out.startswith("not yet: it raised RuntimeError: mat1 and mat2 shapes")


# what the text says


def without_start(lab, tokens):
    return lab.induction_head(tokens[1:])[0].argmax(1)


def test_without_a_start_token_the_first_letter_of_the_second_copy_names_itself(lab):
    """Exercise 1."""
    length = 8
    for seed in range(20):
        tokens = lab.letters_twice(length, seed)
        predicted, letters = without_start(lab, tokens), tokens[1:]
        assert predicted[length] == letters[length]
        assert torch.equal(predicted[length + 1 : -1], letters[length + 2 :])


def test_with_a_gain_of_one_it_names_what_it_has_just_read(lab):
    """Exercise 2: the patterns stay, the prediction does not."""
    tokens = lab.letters_twice(12, 0)
    logits, *_, pattern = lab.induction_head(tokens, gain=1.0)
    assert torch.equal(logits.argmax(1)[13:], tokens[13:])
    assert torch.equal(pattern, lab.induction_head(tokens)[2])


def test_a_letter_that_stands_twice_divides_the_weight(lab):
    """Exercise 3: a b a c a."""
    tokens = torch.tensor([lab.START, 0, 1, 0, 2, 0])
    logits, *_, pattern = lab.induction_head(tokens)
    assert pattern[5, 2] == pytest.approx(0.5, abs=1e-2) and pattern[5, 4] == pytest.approx(0.5, abs=1e-2)
    assert logits[5, 1] == pytest.approx(logits[5, 2].item(), abs=1e-2)


def test_the_pictures_alt_text_is_true(lab):
    _, first, second = lab.induction_head(lab.letters_twice(8, 0))
    assert (first.diagonal(-1) > 0.99).all()
    for t in range(1, 9):
        assert (second[t, : t + 1] - 1 / (t + 1)).abs().max() < 0.01
    for t in range(9, 17):
        assert second[t, t - 7] > 0.99
