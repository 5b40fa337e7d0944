"""What the benchmark of compatible training makes of its rows."""

import numpy as np
import pytest
import torch

from benchmarks.compatible.judging import Judge
from benchmarks.compatible.methods import claims
from benchmarks.compatible.reading import best_method, gain_of
from benchmarks.compatible.scenarios import KINDS, PLANS, make_case
from benchmarks.compatible.table import page


def row(method, seed=0, scenario="fashion/data", new_old=0.85, validation=(0.8, 0.9), **changes):
    cells = {"old_old": 0.8, "new_old": new_old, "new_new": 0.9, "paragon": 0.9}
    told = {
        f"{measure} {name}": value
        for measure in ("cmc@1", "map")
        for name, value in {**cells, "criterion low": new_old - 0.81, "cost": 0.0}.items()
    }
    decisions = ("false_accepts", "false_rejects", "clusters")
    told |= {f"{name}_{side}": 0.5 for name in decisions for side in ("old", "new")}
    told |= {"old_head_on_old": 0.5, "old_head_on_new": 0.5}
    told |= {"clusters_old_bcubed_f1": 0.5, "clusters_new_bcubed_f1": 0.5}
    chosen = {
        "validation_new_old": validation[0],
        "validation_new_new": validation[1],
        "validation_paragon": 0.9,
        "trainings": 2.0,
    }
    return {"scenario": scenario, "seed": seed, "method": method, **chosen, **told, **changes}


def test_the_gain_over_seeds_is_a_ratio_of_means():
    rows = [row("a", 0, new_old=0.82), row("a", 1, new_old=0.88)]
    rows[1]["cmc@1 paragon"] = 1.0
    gain, low, high = gain_of(rows)
    assert gain == pytest.approx((0.02 + 0.08) / (0.1 + 0.2))
    assert low < gain < high


def test_the_best_recipe_is_chosen_on_validation_samples_among_those_that_hold_up():
    rows = [
        row("independent", validation=(0.99, 0.99)),
        row("costly", validation=(0.95, 0.88)),
        row("good", validation=(0.85, 0.895), new_old=0.81),
        row("fair", validation=(0.84, 0.90), new_old=0.89),
    ]
    assert best_method(rows) == "good"


def test_the_claims_are_those_of_the_best_recipe_in_each_scenario():
    rows = [
        row(name, seed, f"fashion/{kind}", new_old=0.88 if name == "good" else 0.7, validation=(quality, 0.9))
        for name, quality in (("independent", 0.1), ("good", 0.85))
        for seed in (0, 1, 2)
        for kind in ("data", "classes")
    ]
    found = {claim.name: claim for claim in claims(rows)}
    assert found["compatible.data.update_gain"].value == pytest.approx(0.8)
    assert found["compatible.classes.criterion"].value == 1.0
    assert found["compatible.later_seeds.update_gain"].value == pytest.approx(0.8)
    assert all(claim.holds for claim in found.values())
    rows[3]["cmc@1 criterion low"] = -0.1  # one seed of "good" in one scenario
    rows[-2]["cmc@1 criterion low"] = -0.1
    assert not all(claim.holds for claim in claims(rows))


def test_the_page_has_a_line_for_each_method():
    told = page([row("independent"), row("good", new_old=0.87)])
    assert "| good | 87.00% | 0.70 | 1 of 1 | 90.00% | +0.00 | 2 |" in told
    assert "a point: **good**" in told.replace("\n", " ")
    assert "| fashion/data | 80.00% | 87.00% | 90.00% | 90.00% | 0.70 | 1 of 1 | +0.00 |" in told


def test_the_page_tells_the_interval_over_several_seeds():
    told = page(
        [row("independent", seed) for seed in (0, 1)]
        + [row("good", seed, new_old=0.86 + seed / 100) for seed in (0, 1)]
    )
    assert "| good | 86.50% (0.71) | 0.65 [0.01, 1.29] | 2 of 2 |" in told


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_holds_no_test_picture_in_its_training_parts(kind):
    case = make_case("digits", kind, 0)
    seen = {picture.numpy().tobytes() for part in (case.update.train, case.update.validation) for picture in part[0]}
    pool = {picture.numpy().tobytes() for picture in PLANS["digits"].load().pool[0]}
    assert seen <= pool
    old, new = case.old_vectors[0].shape[1], case.update.build()(case.queries[0][:2]).shape[1]
    assert new == (2 * old if kind == "dimension" else old)
    assert len(case.old_head.weights) == (5 if kind == "classes" else 10)


def test_the_old_network_as_its_own_successor_changes_nothing():
    case = make_case("digits", "data", 0)
    told = Judge(case, case.old).row(case.old)
    assert told["cmc@1 criterion"] == told["map cost"] == 0
    assert told["false_accepts_old"] == told["false_accepts_new"]
    assert told["old_head_on_old"] == told["old_head_on_new"]
    assert told["clusters_old_bcubed_f1"] == told["clusters_new_bcubed_f1"]
    queries, gallery = (torch.nn.functional.normalize(vectors) for vectors in case.old_vectors)
    first = case.gallery[1][(queries @ gallery.T).argmax(1)]
    assert told["cmc@1 old_old"] == pytest.approx(np.mean((first == case.queries[1]).numpy()))
