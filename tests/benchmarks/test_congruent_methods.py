"""The claims and the table of the congruent methods follow from the rows of the record, and from nothing else."""

import pytest

from benchmarks.congruent import methods, table
from benchmarks.record import read_rows


def row(scenario, seed, method, error_rate, nfr, *, validation=(0.9, 0.02), trainings=1.0, passes=1):
    return {
        "scenario": scenario,
        "seed": seed,
        "method": method,
        "settings": {},
        "error_rate": error_rate,
        "nfr": nfr,
        "relative_nfr": 0.5,
        "pfr": 0.03,
        "validation_accuracy": validation[0],
        "validation_nfr": validation[1],
        "trainings": trainings,
        "passes": passes,
        "accuracy_old": 0.85,
    }


ROWS = [
    row("a/data", 0, "independent", 0.10, 0.04),
    row("a/data", 1, "independent", 0.12, 0.02),
    row("b/data", 0, "independent", 0.20, 0.10),
    row("b/data", 1, "independent", 0.20, 0.10),
    row("a/data", 0, "steady", 0.09, 0.01, validation=(0.91, 0.01), trainings=2.0),
    row("a/data", 1, "steady", 0.11, 0.01, validation=(0.91, 0.01), trainings=2.0),
    row("b/data", 0, "steady", 0.19, 0.05, validation=(0.90, 0.01), trainings=2.0),
    row("b/data", 1, "steady", 0.20, 0.05, validation=(0.90, 0.01), trainings=2.0),
    # fewer flips on test samples, but its accuracy on validation samples does not hold up
    *(row(f"{name}/data", seed, "timid", 0.08, 0.001, validation=(0.80, 0.001)) for name in "ab" for seed in (0, 1)),
    # not everywhere
    row("a/data", 0, "local", 0.05, 0.0, validation=(0.99, 0.0)),
]


def test_flips_are_compared_within_scenario_and_seed_before_any_mean():
    flips, gained = methods.ratios(ROWS, "steady")
    assert flips.tolist() == pytest.approx([(0.25 + 0.5) / 2, (0.5 + 0.5) / 2])
    assert gained.tolist() == pytest.approx([(0.01 + 0.01) / 2, (0.01 + 0.0) / 2])


def test_the_recipe_is_chosen_on_validation_samples_among_those_that_ran_everywhere():
    nfr, accuracy = methods.claims(ROWS)[:2]
    assert "(steady, chosen on validation samples)" in nfr.statement
    assert nfr.value == pytest.approx((0.375 + 0.5) / 2)
    assert nfr.holds
    assert accuracy.value == pytest.approx(0.0075)


def test_a_pick_among_all_methods_is_no_recipe_and_has_claims_of_its_own():
    later = [{**one, "seed": one["seed"] + 2} for one in ROWS]
    every = [{**one, "method": "every-method"} for one in (*ROWS, *later) if one["method"] == "steady"]
    found = {claim.name: claim for claim in methods.claims([*ROWS, *later, *every])}
    assert "(steady, chosen on validation samples)" in found["congruent.nfr_ratio"].statement
    assert found["congruent.each_case.nfr_ratio"].value == found["congruent.nfr_ratio"].value
    assert found["congruent.later_seeds.nfr_ratio"].value == pytest.approx((0.375 + 0.5) / 2)


def test_auto_is_held_against_the_best_method_that_its_budget_pays_for():
    costly = [row("a/data", seed, "costly", 0.05, 0.001, trainings=6.0) for seed in (0, 1)]
    auto = [row("a/data", seed, "auto", 0.09, 0.012, trainings=5.0) for seed in (0, 1)]
    growth = [one for one in ROWS if one["scenario"] == "a/data" and one["method"] in {"independent", "steady"}]
    (claim,) = methods.auto_claim([*growth, *costly, *auto])
    assert "(steady)" in claim.statement
    assert claim.value == pytest.approx(1.2)
    assert not claim.holds


def test_the_page_of_the_documentation_is_that_of_the_record():
    assert methods.TABLE.read_text(encoding="utf-8") == table.page(read_rows("congruent", "methods"))
