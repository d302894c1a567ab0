"""Measures on made-up phases, its claims, and the paper's own setting."""

from dataclasses import replace

import numpy as np
import pytest

from snippets.icl.training import circuits
from snippets.icl.training.label_map_training import longest_rest
from snippets.meta_learning import equal_layers, phases, two_heads


def made_up() -> dict:
    """Four phases of 1,000 steps: nothing, the query itself, the labels, the pairs."""
    step = np.arange(0, 4000, 100)
    phase = step // 1000

    def stairs(*heights: float) -> np.ndarray:
        return np.array(heights)[phase]

    def head(*heights: float) -> np.ndarray:
        return stairs(*heights)[:, None]

    return {
        "step": step,
        "accuracy": stairs(0.03, 0.35, 0.75, 0.99),
        "accuracy_moved": stairs(0.03, 0.35, 0.75, 0.6),
        "bigram_1": head(0.1, 0.8, 0.2, 0.3),
        "label_1": head(0.4, 0.1, 0.7, 0.5),
        "chunk": head(0.26, 0.26, 0.2, 0.45),
        "bigram_2": head(0.1, 0.9, 0.95, 0.4),
        "label_2": head(0.4, 0.05, 0.05, 0.6),
        "ceiling_query": 0.36,
        "ceiling_labels": 0.77,
        "network_absent": 0.99,
        "induction": 0.4,
    }


def test_derived_numbers():
    m = made_up()
    assert circuits.begins(m) == (1000, 2000, 3000)
    assert circuits.second_phase(m) == 1000 and circuits.has_second(m)
    assert circuits.strongest(m) == 20 and phases.unpaired(m) == 0.75
    assert circuits.ncc(m).max() == 0.8 and circuits.scc(m).max() == 0.7
    assert circuits.gap(m)[-1] == pytest.approx(0.39)
    assert circuits.before_split(m).sum() == 30
    assert longest_rest(m) == (900, 2000)
    assert phases.at_step(m, m["accuracy"], 2000.0) == 0.75
    assert phases.at_step(m, m["accuracy"], np.inf) == np.inf


def test_without_a_split_the_second_phase_lasts_to_the_end():
    m = made_up() | {"accuracy_moved": made_up()["accuracy"]}
    assert circuits.begins(m)[2] == np.inf and circuits.second_phase(m) == 1900


def test_a_second_circuit_that_is_skipped_lasts_no_time():
    weak, early, late = made_up(), made_up(), made_up()
    weak["label_1"] = weak["label_1"] * 0.6
    early["label_1"] = early["label_1"][::-1].copy()  # before the query looks at itself
    early["bigram_2"] = np.ones_like(early["bigram_2"])
    late["accuracy_moved"] = np.where(late["step"] < 1500, 0.0, late["accuracy_moved"])
    for m in (weak, early, late):
        assert circuits.second_phase(m) == 0 and not circuits.has_second(m)


def test_each_claim_can_fail_and_can_hold():
    good = made_up()
    flat = {name: np.full_like(np.asarray(curve, float), 0.05) for name, curve in good.items()}
    flat["step"], flat["ceiling_query"] = good["step"], np.array(0.36)
    flat["accuracy_moved"] = np.where(good["step"] < 3900, flat["accuracy"] + 0.15, flat["accuracy"])
    short = good | {"label_1": np.where(good["step"] < 2700, 0.1, 0.7)[:, None]}
    above_the_labels = good | {"ceiling_labels": 0.5}
    unpaired = good | {"accuracy_moved": good["accuracy"]}
    climbs = good | {"accuracy": np.linspace(0, 1, 40)}
    fails = {"order": short, "scc-accuracy": above_the_labels, "pairing": unpaired, "rest": climbs}
    for claim in phases.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert claim.applies is None or claim.applies(good), claim.id
        assert not claim.holds(claim.value(fails.get(claim.id, flat))), claim.id


def test_what_does_not_come_is_not_counted():
    """A condition that is not met counts neither way: it is no pass."""
    skips = made_up()
    skips["label_1"] = skips["label_1"] * 0
    applies = {claim.id: claim.applies(skips) for claim in phases.CLAIMS if claim.applies}
    assert applies == {
        "order": False, "scc-accuracy": False, "rest": False, "pairing": True, "labels-in-2": True, "chunk": True,
    }  # fmt: skip
    unpaired = made_up() | {"accuracy_moved": made_up()["accuracy"] * 0.95}
    assert not phases.pairs(unpaired) and phases.right_to_the_end(unpaired)


def test_two_heads_claims_can_fail_and_can_hold():
    step = np.arange(0, 4000, 100)
    smooth, stairs = np.minimum(step / 2000, 1.0), np.where(step < 1000, 0.3, np.where(step < 3500, 0.7, 1))
    early, late = np.tile([0.1, 0.5], (40, 1)), np.tile([0.1, 0.1], (40, 1))

    def verdicts(accuracy, label_2) -> dict:
        m = {"step": step, "accuracy": accuracy, "label_2": label_2, "bigram_2": 0.9 - label_2}
        m["accuracy_moved"] = np.minimum(accuracy, 0.6)
        return {claim.id: claim.holds(claim.value(m)) for claim in two_heads.CLAIMS}

    good = dict.fromkeys(("split", "smooth", "division"), True)
    assert verdicts(smooth, early) == good
    assert verdicts(stairs, early) == good | {"smooth": False, "split": False}  # splits at 3,500
    assert verdicts(smooth, late) == good | {"division": False}


def test_two_heads_derived_numbers():
    step = np.arange(0, 300, 100)
    m = {
        "step": step,
        "accuracy": np.array([0.0, 0.6, 1.0]),
        "accuracy_moved": np.array([0.0, 0.55, 0.6]),
        "bigram_2": np.array([[0.1, 0.1], [0.8, 0.2], [0.9, 0.0]]),
        "label_2": np.array([[0.4, 0.4], [0.1, 0.5], [0.0, 0.3]]),
    }
    assert two_heads.split(m) == 200 and two_heads.reader(m) == 0.5 and two_heads.division(m) == 0.5
    never = m | {"accuracy": np.full(3, 0.1), "accuracy_moved": np.full(3, 0.1)}
    assert two_heads.split(never) == np.inf and two_heads.reader(never) == 0


@pytest.mark.parametrize("experiment", [phases, two_heads])
def test_the_papers_setting_takes_steps(experiment):
    config = replace(experiment.PRESETS["paper"], n_steps=2, evaluate_every=1, n_test=8, n_last=300, draw_ahead=2)
    m = experiment.run(config, 1000)
    assert m["step"].tolist() == [0, 1, 2]
    assert m["rest_accuracy" if experiment is phases else "rest"] in (0, np.inf), "nothing has risen yet"
    assert np.isfinite(m["accuracy"]).all() and not any(np.isnan(value).any() for value in m.values())


def test_equal_layers_claims_can_fail_and_can_hold():
    def ends(bigram_1: float, label_2: float, accuracy: float = 0.98) -> dict:
        m = {"bigram_1": bigram_1, "label_2": label_2}
        return {name: np.full((7, 1), value) for name, value in m.items()} | {"accuracy": np.full(7, accuracy)}

    end, second_reads = equal_layers.CLAIMS
    assert end.holds(end.value(ends(0.9, 0.9))) and not end.holds(end.value(ends(0.9, 0.9, 0.9)))
    assert (
        second_reads.applies is not None
        and second_reads.applies(ends(0.9, 0.9))
        and second_reads.holds(second_reads.value(ends(0.9, 0.9)))
    )
    assert not second_reads.holds(second_reads.value(ends(0.9, 0.3)))
    assert not second_reads.applies(ends(0.1, 0.3)), "no pass where layer 1 is free"
