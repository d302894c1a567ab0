"""Chapter 27's measures on made-up phases, its claims, and the paper's own setting."""

from dataclasses import replace

import numpy as np
import pytest

from snippets.meta_learning import phases, two_heads


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
        "network_absent": 0.99,
        "induction": 0.4,
    }


def test_derived_numbers():
    m = made_up()
    assert phases.starts(m) == (1000, 2000, 3000)
    assert phases.shortest_phase(m) == 1000
    assert phases.at_height(m, phases.ncc(m), m["accuracy"]) == 0.35
    assert phases.scc(m).max() == 0.7
    assert phases.gap(m)[-1] == pytest.approx(0.39)
    assert phases.before_split(m).sum() == 30
    assert phases.longest_rest(m) == (900, 2000)


def test_phases_that_do_not_come_are_never():
    m = made_up() | {"accuracy_moved": made_up()["accuracy"]}
    assert phases.starts(m)[2] == np.inf and phases.shortest_phase(m) == -np.inf
    out_of_order = made_up()
    out_of_order["accuracy_moved"] = np.where(m["step"] < 1500, 0.0, m["accuracy_moved"])
    assert phases.shortest_phase(out_of_order) < 0


def test_each_claim_can_fail_and_can_hold():
    good = made_up()
    bad = {name: np.full_like(np.asarray(curve, float), 0.2) for name, curve in good.items()}
    bad |= {"step": good["step"], "induction": 0.9, "ceiling_query": 0.36, "bigram_2": bad["bigram_2"] + 0.1}
    bad["accuracy_moved"] = np.where(good["step"] < 3900, bad["accuracy"] + 0.15, bad["accuracy"])
    for claim in phases.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_two_heads_claims_can_fail_and_can_hold():
    step = np.arange(0, 4000, 100)
    smooth, stairs = np.minimum(step / 2000, 1.0), np.where(step < 1000, 0.3, np.where(step < 3500, 0.7, 1))
    early, late = np.tile([0.1, 0.5], (40, 1)), np.tile([0.1, 0.1], (40, 1))

    def verdicts(accuracy, label_2) -> dict:
        m = {"step": step, "accuracy": accuracy, "label_2": label_2}
        return {claim.id: claim.holds(claim.value(m)) for claim in two_heads.CLAIMS}

    assert verdicts(smooth, early) == {"smooth": True, "no-rest": True, "rest": True}
    assert verdicts(stairs, early) == {"smooth": False, "no-rest": False, "rest": True}
    assert verdicts(smooth, late) == {"smooth": True, "no-rest": True, "rest": False}
    assert verdicts(stairs, late) == {"smooth": False, "no-rest": True, "rest": True}
    assert two_heads.reader({"step": step, "accuracy": smooth * 0.5, "label_2": early}) == 0


@pytest.mark.parametrize("experiment", [phases, two_heads])
def test_the_papers_setting_takes_steps(experiment):
    config = replace(experiment.PRESETS["paper"], n_steps=2, evaluate_every=1, n_test=8, n_last=300, draw_ahead=2)
    m = experiment.run(config, 1000)
    assert m["step"].tolist() == [0, 1, 2]
    assert m["rest_accuracy" if experiment is phases else "rest"] in (0, np.inf), "nothing has risen yet"
    assert np.isfinite(m["accuracy"]).all() and not any(np.isnan(value).any() for value in m.values())
