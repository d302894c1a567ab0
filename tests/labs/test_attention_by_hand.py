"""The lab's solution passes its checks, wrong answers are told why, and the notebooks are what they should be."""

import ast
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from snippets.book.pages import labs

LAB = "attention_by_hand"
CHECKS = {  # the function that finds problems, and the reader's function that it judges
    "problem_of_scores": "scores",
    "problem_of_softmax": "softmax_rows",
    "problem_of_scaled_scores": "scaled_scores",
    "problem_of_causal_pattern": "causal_pattern",
    "problem_of_attention": "attention",
    "problem_of_previous_token": "previous_token_head",
    "problem_of_dictionary": "dictionary_head",
    "problem_of_averaging": "averaging_head",
    "problem_of_layer": "layer",
    "problem_of_difference": "difference_from_library",
}
PICTURES = 2
Wrong = tuple[str, Callable, str]


# the checks


@pytest.mark.parametrize("check", CHECKS)
def test_the_solution_passes(lab, check):
    assert getattr(lab, check)(getattr(lab, CHECKS[check])) is None


RIGHT: dict[str, list[tuple[str, Callable]]] = {  # other ways to write the same
    "problem_of_scores": [
        ("sums", lambda Q, K: (Q[:, None] * K[None]).sum(2)),
        ("loops", lambda Q, K: torch.stack([torch.stack([q @ k for k in K]) for q in Q])),
    ],
    "problem_of_softmax": [("torch", lambda z: torch.softmax(z, 1)), ("transposed", lambda z: z.T.softmax(0).T)],
    "problem_of_scaled_scores": [("before", lambda Q, K: (Q / Q.shape[-1] ** 0.25) @ (K / K.shape[-1] ** 0.25).T)],
    "problem_of_causal_pattern": [
        ("added", lambda z: (z + torch.full_like(z, -torch.inf).triu(1)).softmax(1)),
        ("large", lambda z: (z - 1e9 * torch.ones_like(z).triu(1)).softmax(1)),
        ("renormalised", lambda z: (p := z.softmax(1).tril()) / p.sum(1, True)),
    ],
    "problem_of_attention": [
        ("loops", lambda Q, K, V: ((p := causal(Q @ K.T / 3).softmax(-1)), torch.stack([w @ V for w in p])))
    ],
}


@pytest.mark.parametrize(
    ("check", "answer"),
    [pytest.param(check, answer, id=f"{check}-{name}") for check in RIGHT for name, answer in RIGHT[check]],
)
def test_another_right_answer_passes(lab, check, answer):
    assert getattr(lab, check)(answer) is None


def causal(scores):
    return scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)


SCORES: list[Wrong] = [
    ("transposed", lambda Q, K: K @ Q.T, "the scores are transposed: a row belongs to a query"),
    ("the other transpose", lambda Q, K: Q.T @ K, "that is Q.T @ K"),
    ("entry by entry", lambda Q, K: Q * K, "that is the product number by number"),
    ("own keys", lambda Q, K: (Q * K).sum(1), "pairs each query with its own key"),
    ("scaled", lambda Q, K: Q @ K.T / 2, "divided by the root of d_k; leave that for step 3"),
    ("no transpose", lambda Q, K: Q @ K, "it raised RuntimeError: mat1 and mat2 shapes"),
    ("queries twice", lambda Q, K: Q @ Q.T, "the score from"),
    ("nothing", lambda Q, K: None, "return the tensor scores"),
]


def shifted(z):
    return z - z.max(1, keepdim=True).values


SOFTMAX: list[Wrong] = [
    ("over queries", lambda z: z.softmax(0), "columns add up to 1, rows should"),
    ("over all", lambda z: z.exp() / z.exp().sum(), "the whole matrix adds up to 1"),
    ("no sum", lambda z: z.exp(), "these are the powers of e; divide"),
    ("no sum, shifted", lambda z: shifted(z).exp(), "these are the powers of e; divide"),
    ("no keepdim", lambda z: z.exp() / z.exp().sum(1), "with keepdim=True they stay a column"),
    ("no keepdim, shifted", lambda z: shifted(z).exp() / shifted(z).exp().sum(1), "with keepdim=True"),
    ("no keepdim in max", lambda z: (z - z.max(1).values).softmax(1), "with keepdim=True they stay a column"),
    ("shares of the scores", lambda z: z / z.sum(1, keepdim=True), "a weight is negative"),
    ("logarithm", lambda z: z.log_softmax(1), "these are the logarithms"),
    ("sigmoid", lambda z: z.sigmoid(), "adds up to"),
    ("powers of two", lambda z: (z * 2**0.5).softmax(1), "rows add up to 1, but the weights in row 0 are"),
    ("overflow", lambda z: z.exp() / z.exp().sum(1, keepdim=True), "scores near 1000 give NaN: subtract"),
    ("one largest for all", lambda z: (p := (z - z.max()).exp()) / p.sum(1, True), "each row's own largest score"),
    ("clipped", lambda z: z.clamp(min=-50).softmax(1), "scores near -1000, or of minus infinity, go wrong"),
    ("one row", lambda z: z.softmax(1)[0], "weights has the shape (4,), not (4, 4)"),
]
SCALED: list[Wrong] = [
    ("no scale", lambda Q, K: Q @ K.T, "the scale is missing"),
    ("by d_k", lambda Q, K: Q @ K.T / Q.shape[1], "they are divided by d_k; divide by its root"),
    ("multiplied", lambda Q, K: Q @ K.T * 3, "they are multiplied by the root of d_k"),
    ("by n", lambda Q, K: Q @ K.T / len(Q) ** 0.5, "the root of the number of tokens"),
    ("transposed", lambda Q, K: K @ Q.T / 3, "the scores are transposed"),
    ("weights", lambda Q, K: (Q @ K.T / 3).softmax(1), "the softmax comes later"),
    ("step 1's root", lambda Q, K: Q @ K.T / 5, "for d_k = 9 the score from"),
]
PATTERN: list[Wrong] = [
    ("no mask", lambda z: z.softmax(1), "token 3 sees the future: it attends to token 4 with weight 0.53"),
    ("0 for infinity", lambda z: z.tril().softmax(1), "the hidden scores are 0, and e to the 0 is 1"),
    ("mask after", lambda z: z.softmax(1).tril(), "not to 1: the mask comes after the softmax"),
    ("the past", lambda z: causal(z.T).T.softmax(1), "it hides the past and shows the future"),
    ("over queries", lambda z: causal(z).softmax(0), "columns add up to 1, rows should"),
    ("transposed", lambda z: causal(z.T).softmax(1), "the scores are transposed"),
    ("not itself", lambda z: z.masked_fill(torch.ones(5, 5).triu().bool(), -torch.inf).softmax(1), "row 0 is NaN"),
    ("0 times infinity", lambda z: (z - torch.inf * torch.ones(5, 5).triu(1)).softmax(1), "0 times infinity"),
    ("not low enough", lambda z: (z - 6 * torch.ones(5, 5).triu(1)).softmax(1), "sees the future: it attends"),
    ("no softmax", lambda z: z.tril(), "of the pattern adds up to"),
    ("scaled again", lambda z: causal(z / 5**0.5).softmax(1), "step 3 has done that already"),
    ("uniform", lambda z: causal(0 * z).softmax(1), "attends to token"),
    ("scores", lambda z: causal(z), "now take their softmax"),
]


def with_pattern(pattern_of: Callable) -> Callable:
    """Attention with this function from the scaled scores to the pattern."""
    return lambda Q, K, V: ((p := pattern_of(Q @ K.T / 3)), p @ V)


def right_pattern(z):
    return causal(z).softmax(-1)


ATTENTION: list[Wrong] = [
    ("no scale", with_pattern(lambda z: right_pattern(3 * z)), "the scale is missing"),
    ("scaled twice", with_pattern(lambda z: right_pattern(z / 3)), "divided by the root of d_k twice"),
    ("scaled after", with_pattern(lambda z: right_pattern(z) / 3), "the scale comes after the softmax"),
    ("exchanged", with_pattern(lambda z: right_pattern(z.T)), "queries and keys are exchanged"),
    ("no mask", with_pattern(lambda z: z.softmax(-1)), "sees the future"),
    ("0 for infinity", with_pattern(lambda z: z.tril().softmax(-1)), "e to the 0 is 1"),
    ("mask after", with_pattern(lambda z: z.softmax(-1).tril()), "the mask comes after the softmax"),
    ("over queries", with_pattern(lambda z: causal(z).softmax(0)), "columns add up to 1, rows should"),
    ("transposed output", lambda Q, K, V: ((p := right_pattern(Q @ K.T / 3)), p.T @ V), "the pattern transposed"),
    ("values twice", lambda Q, K, V: ((p := right_pattern(Q @ K.T / 3)), p @ p @ V), "output is not the sum of"),
    ("output alone", lambda Q, K, V: right_pattern(Q @ K.T / 3) @ V, "return the tensors pattern, output"),
    ("wrong order", lambda Q, K, V: ((p := right_pattern(Q @ K.T / 3)) @ V, p), "pattern has the shape (5, 3)"),
]

# columns, as in the lab
LETTER, DIGIT, POSITION = slice(0, 8), slice(8, 18), slice(18, 34)
BEFORE, FOUND, SEEN = slice(34, 42), slice(42, 52), slice(52, 60)
D, P = 60, 16


def reading(rows: slice, scale: float = 1.0, offset: int = 0):
    """A matrix that reads these rows; `offset` shifts what it reads."""
    n = rows.stop - rows.start
    W = torch.zeros(D, n)
    W[rows] = scale * torch.ones(n - abs(offset)).diag(-offset)
    return W


def writing(columns: slice, scale: float = 1.0):
    return reading(columns, scale).T


def looking(offset: int, q: float, k: float = 1.0):
    """W_Q and W_K with which each position looks `offset` back; the scores are q * k / 4."""
    return reading(POSITION, q, offset), reading(POSITION, k)


LETTER_TO_BEFORE = reading(LETTER), writing(BEFORE)


def previous(W_Q, W_K):
    return W_Q, W_K, *LETTER_TO_BEFORE


def moving(W_V, W_O):
    return lambda beta: (*looking(1, 4 * beta), W_V, W_O)


def plus_itself(beta):
    W_Q, W_K = looking(1, 4 * beta)
    return W_Q + reading(POSITION, 4.0), W_K


PREVIOUS_TOKEN: list[Wrong] = [
    (
        "no root",
        lambda b: previous(*looking(1, b)),
        "the score is beta / 4.00: attention divides by the root of d_k = 16",
    ),
    ("root twice", lambda b: previous(*looking(1, 4 * b, 4)), "put the root in only once"),
    ("beta twice", lambda b: previous(*looking(1, 4 * b, b)), "beta is in W_Q and in W_K"),
    ("beta for the root", lambda b: previous(*looking(1, b, b)), "beta is in W_Q and in W_K"),
    ("no beta", lambda b: previous(*looking(1, 4)), "the score is 1.00, not beta = 3"),
    ("minus beta", lambda b: previous(*looking(1, -4 * b)), "gives a positive score to no token"),
    ("itself", lambda b: previous(*looking(0, 4 * b)), "token 8 looks at itself, not at token 7"),
    ("the next", lambda b: previous(*looking(-1, 4 * b)), "token 8 looks at token 9, which the mask hides"),
    ("two back", lambda b: previous(*looking(2, 4 * b)), "token 8 looks 2 back, not 1 back"),
    ("exchanged", lambda b: previous(*looking(1, 4 * b)[::-1]), "token 8 looks at token 9, which the mask hides"),
    ("itself too", lambda b: previous(*plus_itself(b)), "also gives the score 1.00 to token"),
    ("letters", lambda b: previous(reading(LETTER, b), reading(LETTER)), "the scores change with the tokens"),
    ("zeros", lambda b: previous(torch.zeros(D, P), torch.zeros(D, P)), "gives a positive score to no token"),
    ("the block alone", lambda b: previous(torch.eye(P), torch.eye(P)), "W_Q has the shape (16, 16), not (60, any)"),
    ("two sizes", lambda b: previous(torch.zeros(D, P), torch.zeros(D, 3)), "W_Q has 16 columns and W_K 3"),
    ("no W_O", lambda b: (*looking(1, 4 * b), reading(LETTER)), "return the tensors W_Q, W_K, W_V, W_O"),
    ("W_O transposed", moving(reading(LETTER), reading(BEFORE)), "W_O has the shape (60, 8), not (any, 60)"),
    ("d_v twice", moving(reading(LETTER), writing(DIGIT)), "W_V has 8 columns and W_O 10 rows"),
    ("the wrong way", moving(reading(BEFORE), writing(LETTER)), "it reads BEFORE and writes LETTER: rows are read"),
    ("into the letter", moving(reading(LETTER), writing(LETTER)), "it writes LETTER; write BEFORE only"),
    ("everything", moving(torch.eye(D), torch.eye(D)), "it writes LETTER; write BEFORE only"),
    ("the digit too", moving(reading(SEEN) + reading(LETTER), writing(BEFORE)), "it moves SEEN to BEFORE"),
    ("doubled", moving(reading(LETTER, 2.0), writing(BEFORE)), "what arrives in BEFORE is not LETTER as it was"),
    ("nothing", moving(torch.zeros(D, 8), writing(BEFORE)), "nothing is written: W_V times W_O is 0"),
]

DIGIT_TO_FOUND = reading(DIGIT), writing(FOUND)
ROOT = 8**0.5


def look_up(W_Q, W_K, W_V=DIGIT_TO_FOUND[0], W_O=DIGIT_TO_FOUND[1]):
    return W_Q, W_K, W_V, W_O


def letters(alpha_q, alpha_k=1.0):
    return reading(LETTER, alpha_q), reading(LETTER, alpha_k)


def and_positions(alpha):
    both = [torch.cat([W, reading(POSITION)], 1) for W in letters(alpha * ROOT)]
    return look_up(both[0] * 3**0.5, both[1])  # d_k is 24, three times 8


DICTIONARY: list[Wrong] = [
    ("no root", lambda a: look_up(*letters(a)), "the score is alpha / 2.83: attention divides by the root of d_k = 8"),
    ("alpha twice", lambda a: look_up(*letters(a * ROOT, a)), "alpha is in W_Q and in W_K"),
    ("no alpha", lambda a: look_up(*letters(ROOT)), "the score is 1.00, not alpha = 3"),
    ("minus", lambda a: look_up(*letters(-a * ROOT)), "the score is -3.00, not alpha = 3"),
    ("digits", lambda a: look_up(reading(DIGIT, a * 10**0.5), reading(DIGIT)), "it compares digits; the token that"),
    ("letter and digit", lambda a: look_up(reading(LETTER), reading(DIGIT)), "W_Q has 8 columns and W_K 10"),
    ("position", lambda a: look_up(*looking(1, 4 * a)), "query and key both read LETTER only"),
    ("position too", and_positions, "query and key both read LETTER only"),
    ("zeros", lambda a: look_up(*letters(0.0)), "all scores are 0: every token gets the same weight"),
    ("letter", lambda a: (*letters(a * ROOT), reading(LETTER), writing(BEFORE)), "it writes BEFORE; write FOUND only"),
    ("in place", lambda a: (*letters(a * ROOT), reading(DIGIT), writing(DIGIT)), "it writes DIGIT; write FOUND only"),
    ("reversed", lambda a: (*letters(a * ROOT), reading(FOUND), writing(DIGIT)), "rows are read, columns are written"),
    ("blocks alone", lambda a: (torch.eye(8), torch.eye(8), *DIGIT_TO_FOUND), "W_Q has the shape (8, 8)"),
]

LETTER_TO_SEEN = reading(LETTER), writing(SEEN)


def averaging(W_Q, W_K, W_V=LETTER_TO_SEEN[0], W_O=LETTER_TO_SEEN[1]):
    return lambda: (W_Q, W_K, W_V, W_O)


NOTHING = torch.zeros(D, 8), torch.zeros(D, 8)
AVERAGING: list[Wrong] = [
    ("ones", averaging(torch.ones(D, 4), torch.ones(D, 4)), "the scores of token 0 are not equal, from"),
    ("letters", averaging(*letters(1.0)), "are not equal, from 0.00 to 0.35"),
    ("positions", averaging(*looking(0, 4.0)), "are not equal, from 0.00 to 1.00"),
    ("no values", averaging(*NOTHING, torch.zeros(D, 8)), "nothing is written: W_V times W_O is 0"),
    ("digits", averaging(*NOTHING, reading(DIGIT), writing(FOUND)), "it writes FOUND; write SEEN only"),
    ("a share of it", averaging(*NOTHING, reading(LETTER, 1 / 16)), "not LETTER as it was: copy it unchanged"),
    ("no columns", averaging(torch.zeros(D, 0), torch.zeros(D, 0)), "d_k and d_v are at least 1"),
    ("one matrix", lambda: NOTHING[0], "return the tensors W_Q, W_K, W_V, W_O"),
]


def added(stream, matrices):
    """What a head adds, written once more."""
    W_Q, W_K, W_V, W_O = matrices
    z = (stream @ W_Q) @ (stream @ W_K).T / W_Q.shape[1] ** 0.5
    return right_pattern(z) @ stream @ W_V @ W_O


def in_turn(stream, heads):
    for matrices in heads:
        stream = stream + added(stream, matrices)
    return stream


def in_place(stream, heads):
    stream += sum([added(stream, matrices) for matrices in heads])
    return stream


def in_place_in_turn(stream, heads):
    for matrices in heads:
        stream += added(stream, matrices)
    return stream


def total(stream, heads):
    return sum(added(stream, matrices) for matrices in heads)


LAYER: list[Wrong] = [
    ("in turn", in_turn, "the second head reads what the first has written"),
    ("in turn, in place", in_place_in_turn, "the second head reads what the first has written"),
    ("in place", in_place, "it changes the stream that it was given"),
    ("no stream", total, "the stream is lost: heads add to it"),
    ("stream twice", lambda x, h: sum(x + added(x, m) for m in h), "the stream is there twice"),
    ("mean", lambda x, h: x + total(x, h) / len(h), "that is the mean of the heads; add them up"),
    ("mean alone", lambda x, h: total(x, h) / len(h), "that is the mean of the heads, without the stream"),
    ("first", lambda x, h: x + added(x, h[0]), "only the first head is there"),
    ("last", lambda x, h: x + added(x, h[-1]), "only the last head is there"),
    ("the stream", lambda x, h: x, "no head has added anything"),
    ("two only", lambda x, h: x + total(x, h[:2]), "with two heads it is right, with three it is not"),
    ("minus", lambda x, h: x - total(x, h), "the result is not the stream plus what each head adds"),
    ("a list", lambda x, h: [x, x], "return the tensor stream"),
    ("side by side", lambda x, h: torch.cat([added(x, m) for m in h], 1), "stream has the shape (16, 120)"),
]


def library(Q, K, V, **options):
    return F.scaled_dot_product_attention(Q, K, V, **({"is_causal": True} | options))


def difference(ours: Callable = lambda a, b: (a - b).abs().max().item(), **options) -> Callable:
    """A measure of ours minus the library's, called with these options."""
    return lambda attention, Q, K, V: ours(attention(Q, K, V)[1], library(Q, K, V, **options))


DIFFERENCE: list[Wrong] = [
    ("not causal", difference(is_causal=False), "the library looks at the future there: set is_causal=True"),
    ("no scale", difference(scale=1.0), "the library divides by the root of d_k, unless told not to"),
    ("scaled twice", lambda a, Q, K, V: difference()(a, Q / 3, K, V), "divided by the root of d_k twice"),
    ("exchanged", lambda a, Q, K, V: difference()(a, K, Q, V), "queries and keys are exchanged in the call"),
    ("keys for values", lambda a, Q, K, V: difference()(a, Q, K, V + 1), "an attention that is equal to the library's"),
    ("mean", difference(lambda a, b: (a - b).abs().mean()), "it gives the mean of the differences"),
    ("sum", difference(lambda a, b: (a - b).abs().sum()), "it adds the differences up"),
    ("signed", difference(lambda a, b: (a - b).max()), "if ours is 0.25 too low, it gives"),
    ("size of the largest", difference(lambda a, b: (a - b).max().abs()), "if ours is 0.25 too low, it gives"),
    ("square", difference(lambda a, b: (a - b).square().max()), "if one number is off by 0.25, it gives 0.06"),
    ("0", lambda *_: 0.0, "it gives 0 even for an output in which all numbers are wrong"),
    ("pattern", lambda a, Q, K, V: (a(Q, K, V)[0] - library(Q, K, V)).max(), "it raised RuntimeError: The size of"),
    ("both", lambda a, Q, K, V: a(Q, K, V) - library(Q, K, V), "it raised TypeError"),
    ("nothing", lambda *_: None, "it raised TypeError"),
]
WRONG = dict(
    zip(
        CHECKS,
        (SCORES, SOFTMAX, SCALED, PATTERN, ATTENTION, PREVIOUS_TOKEN, DICTIONARY, AVERAGING, LAYER, DIFFERENCE),
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


# what the text says


def test_the_numbers_on_paper_are_right(lab):
    """Steps 1 to 5: whole scores, a root of 2, and two equal weights in row 2."""
    assert lab.scores(lab.Q, lab.K).tolist() == [[2, 0, 2], [4, 0, 2], [0, 4, 4]]
    assert lab.scaled_scores(lab.Q, lab.K)[1].tolist() == [2, 0, 1]
    pattern, output = lab.attention(lab.Q, lab.K, lab.V)
    assert pattern[0].tolist() == [1, 0, 0] and torch.equal(output[0], lab.V[0])
    assert pattern[1].tolist() == pytest.approx([0.88, 0.12, 0], abs=0.005)
    assert pattern[2].tolist() == pytest.approx([0.06, 0.47, 0.47], abs=0.005)


def test_the_derivative_of_a_weight_by_its_score_is_as_the_text_says(lab):
    z = torch.randn(1, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    p = lab.softmax_rows(z)[0, 2]
    (slope,) = torch.autograd.grad(p, z)
    assert slope[0, 2].item() == pytest.approx((p * (1 - p)).item(), abs=1e-6)


def test_without_the_scale_the_softmax_saturates_and_with_it_does_not(lab):
    for d_k in (64, 256, 1024):
        queries, keys = lab.random_tensors(1, (500, d_k), (8, d_k))
        plain, scaled = lab.scores(queries, keys), lab.scaled_scores(queries, keys)
        assert plain.std().item() == pytest.approx(d_k**0.5, rel=0.2)
        assert scaled.std().item() == pytest.approx(1, rel=0.2)
        p, q = (lab.softmax_rows(z).max(1).values.mean() for z in (plain, scaled))
        assert p > 0.8 and q < 0.45


@pytest.mark.parametrize(
    ("text", "digit", "strength"),
    [("a3 c7 b1 c?", 7, 0.5), ("h9 e0 c2 g4 a3 e?", 0, 0.5), ("a3 c7 c?", 7, 0.5), ("a3 c7 c7", 7, 1.0)],
)
def test_the_dictionary_finds_the_digit_with_half_the_weight(lab, text, digit, strength):
    found = lab.head(lab.embed(text), *lab.dictionary_head(12.0))[1][-1, FOUND]
    assert found.argmax() == digit and found.max().item() == pytest.approx(strength, abs=1e-3)
    assert found.sum().item() == pytest.approx(strength, abs=1e-3)


def test_a_letter_that_is_not_in_the_dictionary_finds_nothing(lab):
    assert lab.head(lab.embed("a3 c7 b1 d?"), *lab.dictionary_head(12.0))[1][-1].abs().max() < 1e-3


def test_the_averaging_head_counts(lab):
    text = "a1 b1 a1 a1 c1 b1"
    share = lab.head(lab.embed(text), *lab.averaging_head())[1][:, SEEN.start]
    assert torch.allclose(share * torch.arange(1, 7), torch.tensor([1.0, 1, 2, 3, 3, 3]))


def test_heads_leave_each_other_and_the_tokens_alone(lab):
    stream = lab.embed("a3 c7 a3 b1 c?")
    two, three = lab.layer(stream, lab.my_heads()[:2]), lab.layer(stream, lab.my_heads())
    assert torch.equal(two[:, : SEEN.start], three[:, : SEEN.start])
    assert torch.equal(three[:, : BEFORE.start], stream[:, : BEFORE.start])
    assert torch.allclose(lab.layer(stream, lab.my_heads()[::-1]), three)


@pytest.mark.parametrize("seed", range(5))
def test_attention_and_layer_are_the_librarys(lab, seed):
    generator = torch.Generator().manual_seed(seed)
    Q, K, V = (torch.randn(40, d, generator=generator) for d in (16, 16, 5))
    assert lab.difference_from_library(lab.attention, Q, K, V) < 1e-6
    heads = lab.random_heads(3, seed)
    stream = lab.embed("a3 c7 b1 c?")
    assert (lab.layer(stream, heads) - lab.layer_in_one_call(stream, heads)).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "give 1 to 16 tokens, not 0"),
        ("a1 " * 17, "give 1 to 16 tokens, not 17"),
        ("a1 i2", "'i2' is not a letter, a to h, and a digit or ?"),
        ("a1 b", "'b' is not a letter"),
        ("a1 bb", "'bb' is not a letter"),
    ],
)
def test_a_text_that_is_no_sequence_is_refused(lab, text, says):
    with pytest.raises(ValueError, match=r"give|not a letter") as error:
        lab.embed(text)
    assert says in str(error.value)


def test_masking_after_the_softmax_is_the_same_until_it_rounds_to_0(lab):
    """Exercise 1."""

    def masked_after(z):
        visible = z.softmax(1).tril()
        return visible / visible.sum(1, keepdim=True)

    z = torch.randn(6, 6, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(masked_after(z), lab.causal_pattern(z), atol=1e-6)
    z[0, 5] = 200
    assert masked_after(z)[0].isnan().all() and not lab.causal_pattern(z).isnan().any()


def test_only_the_head_that_reads_positions_notices_the_order(lab):
    """Exercise 2."""
    streams = [lab.layer(lab.embed(text), lab.my_heads())[-1] for text in ("a3 c7 b1 c?", "b1 a3 c7 c?")]
    for columns, alike in ((BEFORE, False), (FOUND, True), (SEEN, True)):
        assert torch.allclose(streams[0][columns], streams[1][columns], atol=1e-6) == alike


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("text", "three", "five"), [("a3 a5 a?", 1 / 3, 1 / 3), ("a3 a3 a5 a?", 1 / 2, 1 / 4)])
def test_the_dictionary_takes_a_vote(lab, text, three, five, sign):
    """Exercise 3."""
    W_Q, *others = lab.dictionary_head(12.0)
    found = lab.head(lab.embed(text), sign * W_Q, *others)[1][-1, FOUND]
    assert found[3].item() == pytest.approx(three, abs=1e-3)
    assert found[5].item() == pytest.approx(five, abs=1e-3)


def test_with_a_minus_it_averages_the_digits_of_all_others(lab):
    """Exercise 3."""
    W_Q, *others = lab.dictionary_head(12.0)
    found = lab.head(lab.embed("a3 c7 b1 c?"), -W_Q, *others)[1][-1, FOUND]
    assert found[[3, 1, 7]].tolist() == pytest.approx([0.5, 0.5, 0], abs=1e-3)


def test_the_careful_dictionary_of_the_answer(lab):
    """Exercise 4: the code that stands in the folded answer."""
    answer = next(c.source for c in labs.read(LAB) if "def careful_dictionary_head" in c.source)
    names = dict(vars(lab))
    exec(answer.split("```python\n")[1].split("```")[0], names)
    matrices = names["careful_dictionary_head"](12.0)

    def found(text):
        return lab.head(lab.embed(text), *matrices)[1][-1, FOUND]

    assert found("a3 c7 b1 c?")[7] > 0.99
    unknown = found("a3 c7 b1 d?")
    assert unknown[[3, 7, 1]].tolist() == pytest.approx([0.25] * 3, abs=1e-3)


def test_the_pictures_alt_text_is_true(lab):
    before, softer, dictionary, average = lab.patterns
    n = len(before)
    assert lab.text == "a3 c7 a3 b1 h2 c? b?" and n == 7
    assert (before.diagonal(-1) > 0.99).all() and before[0, 0] == 1
    for t in range(2, n):
        assert softer[t].argmax() == t - 1
        rest = torch.cat([softer[t, : t - 1], softer[t, t : t + 1]])
        assert (rest - rest[0]).abs().max() < 1e-6
    for t, twin in {5: 1, 6: 3, 2: 0}.items():
        assert dictionary[t, [t, twin]].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)
    assert all(dictionary[t, t] > 0.99 for t in (0, 1, 3, 4))
    for t in range(n):
        assert torch.allclose(average[t, : t + 1], torch.full((t + 1,), 1 / (t + 1)))


# the notebooks


def test_nothing_but_torch_and_matplotlib_is_imported():
    imported = set()
    for node in ast.walk(ast.parse(labs.script(LAB))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert imported == {"torch", "matplotlib", "importlib", "subprocess", "sys", "math", "textwrap"}
