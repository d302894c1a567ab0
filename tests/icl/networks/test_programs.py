"""Programs of hand-set weights: right on random inputs of random length, wrong by no more than their bounds."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks import program_arithmetic as arithmetic
from snippets.icl.networks import program_library as library
from snippets.icl.networks.program_machine import Fields, Head, Layer, run_program
from snippets.icl.theory.program_errors import chase_leaks, divide_error, leak, multiply_error

DIGITS = st.lists(st.integers(0, 9), min_size=1, max_size=library.N_PLACES)
BETA = st.floats(0, 40)
NUMBER = st.floats(-100, 100, allow_subnormal=False)
few = settings(max_examples=40, deadline=None)


@st.composite
def pointers(draw) -> list[int]:
    n = draw(st.integers(1, 12))
    return draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))


@few
@given(st.permutations(range(12)), st.integers(1, 12), BETA, st.data())
def test_look_up_stays_within_its_bound(keys, n, beta, data):
    values = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    asked = data.draw(st.integers(0, n - 1))
    found = library.look_up(keys[:n], values, keys[asked], 12, beta)
    assert abs(found.answer.item() - values[asked]) <= leak(beta, n) + 1e-12
    # the weight that misses is the bound, not less: the bound cannot be improved
    assert 1 - found.patterns[0][-1, asked].item() == pytest.approx(leak(beta, n), abs=1e-12)


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 22), BETA)
def test_move_stays_within_its_bound(values, steps, beta):
    aim = torch.tensor([values[max(i - steps, 0)] for i in range(len(values))], dtype=torch.float64)
    found = library.move(values, steps, beta)
    assert (found.answer - aim).abs().max() <= leak(beta, len(values) - 1) + 1e-12


@few
@given(DIGITS)
def test_count_is_exact(digits):
    torch.testing.assert_close(
        library.count(digits).answer, torch.tensor([digits.count(d) for d in digits]).double(), atol=1e-12, rtol=0
    )


@few
@given(DIGITS, BETA)
def test_sort_stays_within_its_bound(digits, beta):
    found = library.sort(digits, beta)
    error = (found.answer - torch.tensor(sorted(digits)).double()).abs().max()
    assert error <= 10 * leak(beta, library.N_PLACES - 1) + 1e-12
    if beta > math.log(19 * (library.N_PLACES - 1)):
        assert found.answer.round().tolist() == sorted(digits), "the bound is below a half"


def test_sort_looks_like_a_permutation_where_digits_differ():
    pattern = library.sort([3, 0, 2, 1], 40.0).patterns[-1][:4, :4]
    assert pattern.round().tolist() == [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]]


@few
@given(pointers(), st.integers(0, 20), st.booleans(), st.floats(3, 40))
def test_pointers_stay_within_their_bound(points_to, hops, double, beta):
    n, ends = len(points_to), list(range(len(points_to)))
    for _ in range(hops):
        ends = [points_to[end] for end in ends]
    depth = library.layers_needed(hops, double)
    shares = library.chase(points_to, hops, depth, double, beta).answer
    missed = 1 - shares[torch.arange(n), torch.tensor(ends)]
    assert missed.max() <= chase_leaks(beta, n, hops, depth, double) + 1e-12
    torch.testing.assert_close(shares.sum(1), torch.ones(n).double())


@pytest.mark.parametrize(("hops", "one_by_one", "doubling"), [(0, 0, 0), (1, 1, 1), (7, 7, 3), (8, 8, 4), (31, 31, 5)])
def test_layers_needed(hops, one_by_one, doubling):
    assert library.layers_needed(hops, False) == one_by_one and library.layers_needed(hops, True) == doubling


def test_too_few_layers_fall_short_in_a_ring():
    ring = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0]
    for double, depth, hops, reached in ((False, 3, 4, 3), (True, 3, 8, 0), (True, 3, 9, 1)):
        assert library.chase_as_far(ring, hops, depth, double, 40.0).answer[0].argmax() == reached


@few
@given(NUMBER, NUMBER, st.sampled_from((1e-6, 1e-5, 1e-4, 1e-3)))
def test_products_stay_within_their_bound(a, b, scale):
    x, y = torch.tensor([[a], [b]], dtype=torch.float64)
    least = 1e-300  # below it a product has fewer digits than the bound counts on
    assert abs(arithmetic.multiply(x, y, scale).item() - a * b) <= multiply_error(a, b, scale) + least


@few
@given(NUMBER, st.floats(0.01, 100), st.sampled_from((1e-6, 1e-4, 1e-2, 1.0)))
def test_quotients_stay_within_their_bound(a, b, scale):
    x, y = torch.tensor([[a], [b]], dtype=torch.float64)
    assert abs(arithmetic.divide(x, y, scale).item() - a / b) <= divide_error(a, b, scale) + 1e-300


@few
@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 10**6))
def test_affine_is_exact(d_in, d_out, seed):
    g = torch.Generator().manual_seed(seed)
    x, W, b = (torch.randn(*s, generator=g, dtype=torch.float64) for s in ((6, d_in), (d_in, d_out), (d_out,)))
    torch.testing.assert_close(arithmetic.affine(x, W, b), x @ W + b, atol=1e-12, rtol=0)


def test_heads_of_one_layer_read_the_same_vectors():
    """The second head must not see what the first has just written."""
    f = Fields(a=1, b=1, c=1)
    none = torch.zeros(3, 1, dtype=torch.float64)
    heads = [Head(none, none, f.move("a", "b")), Head(none, none, f.move("b", "c"))]
    x = f.vectors(a=torch.tensor([[1.0], [3.0]]))
    found, patterns = run_program(x, [Layer(heads)], 1.0)
    assert found.tolist() == [[1, 2, 0], [3, 2, 0]] and len(patterns) == 2


PAIRS = {"n_keys": 4, "beta": 1.0}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: library.sort([], 1.0), "the input is empty"),
        (lambda: library.count([1] * 17), "17 numbers are too many: there are 16 places"),
        (lambda: library.sort([3, 12], 1.0), "12 is no symbol of this machine"),
        (lambda: library.move([], 1, 1.0), "the input is empty"),
        (lambda: library.look_up([], [], 0, **PAIRS), "the input is empty"),
        (lambda: library.look_up([0, 0], [1, 2], 0, **PAIRS), "a key stands there twice"),
        (lambda: library.look_up([0, 9], [1, 2], 0, **PAIRS), "key 9 is unknown"),
        (lambda: library.look_up([0, 1], [1, 2], 3, **PAIRS), "key 3 is asked for and is not in the list"),
        (lambda: library.look_up([0, 1], [1], 0, **PAIRS), "2 keys and 1 values"),
        (lambda: library.chase([1, 5], 1, 1, True, 1.0), "5 is no place"),
        (lambda: library.chase([0], -1, 1, True, 1.0), "nobody hops back"),
        (lambda: library.chase([0], 8, 3, True, 1.0), "8 hops need 4 layers; there are 3"),
        (lambda: library.chase([0], 4, 3, False, 1.0), "4 hops need 4 layers; there are 3"),
        (lambda: arithmetic.divide(torch.ones(1).double(), torch.zeros(1).double()), "division by 0"),
        (lambda: arithmetic.divide(torch.ones(1).double(), -torch.ones(1).double()), "no sign"),
        (lambda: arithmetic.multiply(torch.ones(1).double(), torch.ones(1).double(), 0.0), "above 0"),
        (lambda: Fields(a=1).pick("b"), "there is no field b"),
    ],
)
def test_bad_input_is_one_clear_line(call, says):
    with pytest.raises(ValueError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_on_a_ring_two_looks_a_layer_can_triple():
    """Exercise 6: who reaches back to where my jump lands? A jump of f becomes one of 2 f + b."""
    n = 128
    f = Fields(jump=n, back=n, new_jump=n, new_back=n)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    stands = order.argsort()  # where on the ring each place stands
    jump, back = torch.eye(n).double()[order[(stands + 1) % n]], torch.eye(n).double()
    heads = [
        Head(f.pick("jump"), f.pick("back"), f.move("jump", "new_jump")),
        Head(f.pick("back"), f.pick("jump"), f.move("back", "new_back")),
    ]
    for reached in (2, 5, 14, 41, 122):
        x, _ = run_program(f.vectors(jump=jump, back=back), [Layer(heads)], 40.0)
        jump, back = x @ f.pick("new_jump"), x @ f.pick("new_back")
        assert ((stands[jump.argmax(1)] - stands) % n == reached).all() and jump.max(1).values.min() > 0.999
