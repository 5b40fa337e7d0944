"""The gate's decisions: worked by hand, against scipy, as properties, and with the mistakes that users make."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from segue.errors import InputError
from segue.flips import Estimate, Policy, compare, compare_scores, decide
from segue.flips.gate.decision import Check, Decision, Verdict
from segue.flips.gate.held import verdict_of
from segue.flips.gate.needed import flips_to_settle, samples_to_settle
from segue.flips.gate.slice_budgets import budget_of


def arrays(samples, broken=0, mended=0, wrong=0):
    """Labels, old and new answers with so many negative flips, positive flips and samples that both get wrong."""
    labels, old, new = np.ones(samples, int), np.ones(samples, int), np.ones(samples, int)
    new[:broken] = 0
    old[broken : broken + mended] = 0
    old[broken + mended : broken + mended + wrong] = new[broken + mended : broken + mended + wrong] = 2
    return labels, old, new


def report_of(samples, broken=0, mended=0, wrong=0, **options):
    return compare(*arrays(samples, broken, mended, wrong), **options)


# 368 samples without a flip are the fewest that show less than 1% (two-sided 95%, exact): 0.025 ** (1 / 368) > 0.99.
@pytest.mark.parametrize(
    ("samples", "broken", "verdict", "code"),
    [(368, 0, "pass", 0), (367, 0, "undecided", 3), (500, 25, "fail", 1), (500, 5, "undecided", 3)],
)
def test_the_interval_decides(samples, broken, verdict, code):
    decision = decide(report_of(samples, broken), Policy(max_nfr=0.01))
    assert (str(decision.verdict), decision.exit_code) == (verdict, code)
    assert decision.passed == (verdict == "pass")


@pytest.mark.parametrize(("broken", "verdict"), [(0, "pass"), (5, "pass"), (6, "fail")])
def test_the_point_estimate_decides_where_the_policy_says_so(broken, verdict):
    for policy in (Policy(max_nfr=0.01, on="point"), Policy(max_nfr={"limit": 0.01, "on": "point"})):
        assert decide(report_of(500, broken), policy).verdict == verdict


def test_a_limit_with_a_basis_of_its_own_keeps_it():
    policy = Policy(on="point", max_nfr={"limit": 0.01, "on": "confidence"}, max_churn=0.02)
    decision = decide(report_of(500, 5), policy)
    assert {check.rule: (check.on, str(check.verdict)) for check in decision.checks} == {
        "max_nfr": ("confidence", "undecided"),
        "max_churn": ("point", "pass"),
    }


@given(st.integers(1, 3000), st.data())
def test_the_decision_agrees_with_scipys_interval(samples, data):
    broken = data.draw(st.integers(0, samples))
    limit = data.draw(st.floats(0.001, 0.9))
    interval = stats.binomtest(broken, samples).proportion_ci(0.95, "exact")
    expected = "pass" if interval.high <= limit else "fail" if interval.low > limit else "undecided"
    margin = min(abs(interval.high - limit), abs(interval.low - limit))
    decision = decide(report_of(samples, broken), Policy(max_nfr=limit))
    assert margin < 1e-9 or decision.verdict == expected


finite = st.floats(-1, 1)


@given(finite, finite, finite, finite, st.booleans())
def test_pass_and_fail_mean_the_whole_interval(a, b, c, limit, upper):
    low, value, high = sorted((a, b, c))
    verdict = verdict_of(Estimate(value, low, high), limit, upper=upper, on="confidence")
    inside = [(end <= limit) if upper else (end >= limit) for end in (low, value, high)]
    assert verdict == ("pass" if all(inside) else "undecided" if any(inside) else "fail")
    # The mirror image of a limit from above is a limit from below.
    assert verdict == verdict_of(Estimate(-value, -high, -low), -limit, upper=not upper, on="confidence")


@given(st.lists(st.sampled_from(["pass", "fail", "undecided", "exempt"]), max_size=6))
def test_any_fail_fails_and_else_any_doubt_is_undecided(verdicts):
    checks = tuple(Check("max_nfr", "negative flip rate", Verdict(verdict), "because") for verdict in verdicts)
    decision = Decision(checks, 100, 0.95)
    if "fail" in verdicts:
        assert decision.verdict == "fail"
    elif "undecided" in verdicts or "pass" not in verdicts:
        assert decision.verdict == "undecided"
    else:
        assert decision.verdict == "pass"
    assert str(decision).startswith(decision.verdict.upper())
    assert all(check.reason in str(decision) for check in checks)


def test_what_cannot_be_computed_is_undecided_on_either_basis():
    for on in ("confidence", "point"):
        nan = Estimate(math.nan, 0.0, 1.0)
        assert verdict_of(nan, 0.5, upper=True, on=on) == "undecided"
        assert verdict_of(nan, 0.5, upper=False, on=on) == "undecided"
    # The new model makes no error, so the share of its errors that are new is unknown (and 0 by convention).
    policy = Policy(max_nfi=0.5)
    assert decide(report_of(50), policy).verdict == "undecided"
    report = dataclasses.replace(report_of(500), negative_flip_rate=Estimate(math.nan, math.nan, math.nan))
    decision = decide(report, Policy(max_nfr=0.01))
    assert decision.verdict == "undecided"
    assert "can't be computed on 500 samples" in decision.checks[0].reason
    assert decision.checks[0].samples_needed is None


def test_every_limit_of_a_policy_on_classes_is_judged():
    policy = Policy(
        max_nfr=0.05, max_relative_nfr=2, max_nfi=0.9, max_churn=0.2, max_bad_churn=0.1, min_accuracy=0.5,
        min_accuracy_change=-0.1,
    )  # fmt: skip
    decision = decide(report_of(2000, broken=20, mended=60, wrong=60), policy)
    assert [check.rule for check in decision.checks] == [
        "max_nfr", "max_relative_nfr", "max_nfi", "max_churn", "max_bad_churn", "min_accuracy", "min_accuracy_change",
    ]  # fmt: skip
    assert decision.verdict == "pass", str(decision)
    assert decision.headline == "new may replace old: 7 checks passed"


def test_limits_from_below_hold_from_below():
    report = report_of(2000, broken=60, mended=20)  # accuracy falls by 2 points, from 99% to 97%
    assert decide(report, Policy(min_accuracy_change=-0.05)).verdict == "pass"
    assert decide(report, Policy(min_accuracy_change=0.0)).verdict == "fail"
    assert decide(report, Policy(min_accuracy_change=-0.02)).verdict == "undecided"
    assert decide(report, Policy(min_accuracy=0.95)).verdict == "pass"
    assert decide(report, Policy(min_accuracy=0.99)).verdict == "fail"


# --- too few samples -------------------------------------------------------------------------------------------------


def test_too_few_samples_never_pass_and_point_estimates_do_not_fail_either():
    few = {"minimum_samples": 1000}
    passing = decide(report_of(500), Policy(max_nfr=0.01, **few))
    assert (passing.verdict, [check.verdict for check in passing.checks]) == ("undecided", ["undecided", "undecided"])
    assert passing.checks[1].samples_needed == 1000
    assert "fewer than the 1,000" in passing.checks[1].reason
    assert decide(report_of(500, 100), Policy(max_nfr=0.01, on="point", **few)).verdict == "undecided"
    assert decide(report_of(500, 100), Policy(max_nfr=0.01, **few)).verdict == "fail"  # the interval knows its size
    assert decide(report_of(1000), Policy(max_nfr=0.01, **few)).verdict == "pass"


def test_a_ratio_without_errors_of_the_new_model_is_undefined_and_no_number_of_samples_is_named():
    check = decide(report_of(500), Policy(max_relative_nfr=0.5)).checks[0]
    assert (check.verdict, check.samples_needed) == ("undecided", None)
    assert check.reason == (
        "the new model makes no error in these samples, so the ratio is undefined and says nothing of the limit of 0.5"
    )
    none_right = decide(compare([1] * 9, [0] * 9, [0] * 9), Policy(max_relative_nfr=0.5)).checks[0]
    assert none_right.reason.startswith("the old model has no right answer in these samples")


@pytest.mark.parametrize("graded", [False, True])
def test_samples_of_weight_zero_do_not_count_against_the_minimum(graded):
    weights = np.repeat([1.0, 0.0], [50, 1950])
    labels, old, new = arrays(2000)
    if graded:
        report = compare_scores(old * 1.0, new * 1.0, weights=weights)
    else:
        report = compare(labels, old, new, weights=weights)
    assert report.effective_samples == report.to_dict()["effective_samples"] == pytest.approx(50)
    policy = Policy(max_nfr=0.5, minimum_samples=100)
    decision = decide(report, policy)
    assert [str(check.verdict) for check in decision.checks] == ["undecided", "undecided"]
    assert decision.checks[0].reason == (
        "2,000 samples (worth 50 of equal weight) are too few: the policy asks for 100"
    )
    assert "(worth 50 of equal weight), fewer than the 100" in decision.checks[1].reason
    assert [check.samples_needed for check in decision.checks] == [4000, 4000]
    assert decide(report, Policy(max_nfr=0.5, minimum_samples=50)).passed


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30), st.booleans())
def test_the_effective_number_of_samples_is_kishs(weights, grouped):
    labels, old, new = arrays(len(weights) * 2)
    doubled = np.repeat(np.array(weights), 2)
    groups = np.tile([0, 1], len(weights)) if grouped else None
    report = compare(labels, old, new, weights=doubled, groups=groups)
    assert report.effective_samples == pytest.approx(doubled.sum() ** 2 / (doubled**2).sum())
    assert report_of(10).effective_samples is None
    equal = compare(labels, old, new, weights=np.full(len(doubled), 0.1))
    assert decide(equal, Policy(max_nfr=0.99, on="point", minimum_samples=len(doubled))).passed


def test_an_undecided_check_says_how_many_samples_would_decide_it():
    check = decide(report_of(100), Policy(max_nfr=0.01)).checks[0]
    assert check.samples_needed == 370  # 368 by the exact interval, rounded up to two digits
    assert "about 370 would be needed to pass if it stays at 0.00%" in check.reason
    failing = decide(report_of(100, 3), Policy(max_nfr=0.01)).checks[0]
    assert failing.verdict == "undecided"
    assert "to show that it fails" in failing.reason
    on_the_edge = decide(report_of(200, 2), Policy(max_nfr=0.01)).checks[0]
    assert on_the_edge.samples_needed is None
    assert "too near to the limit" in on_the_edge.reason


@pytest.mark.parametrize(("rate", "limit"), [(0.0, 0.02), (0.005, 0.02), (0.04, 0.02)])
def test_the_samples_said_to_be_needed_do_decide_in_four_of_five_cases(rate, limit):
    samples = 150
    broken = round(rate * samples)
    report = report_of(samples, broken)
    needed = flips_to_settle(report.negative_flip_rate, limit, samples)
    draws = np.random.default_rng(0).binomial(needed, broken / samples, 2000)
    wanted = "pass" if broken / samples < limit else "fail"
    settled = {
        k: verdict_of(Estimate(k / needed, *ends(k, needed)), limit, upper=True, on="confidence") == wanted
        for k in np.unique(draws).tolist()
    }
    assert 0.74 <= np.mean([settled[k] for k in draws.tolist()]) <= 1


def ends(k, n):
    interval = stats.binomtest(int(k), n).proportion_ci(0.95, "exact")
    return interval.low, interval.high


def test_arms_without_bounds_and_limits_on_the_estimate_have_no_number_of_samples():
    assert samples_to_settle(Estimate(0.5, 0.1, math.inf), 0.6, 100) is None
    assert samples_to_settle(Estimate(0.5, 0.4, 0.6), 0.5, 100) is None
    assert samples_to_settle(Estimate(math.nan, 0, 1), 0.5, 100) is None


# --- slices ----------------------------------------------------------------------------------------------------------


def sliced(germany=0, france=0, small=0):
    """500 samples from DE, 500 from FR, 20 from LU, with so many negative flips in each."""
    labels, old, new = arrays(1020)
    new[:germany] = new[500 : 500 + france] = new[1000 : 1000 + small] = 0
    country = np.repeat(["DE", "FR", "LU"], [500, 500, 20])
    return compare(labels, old, new, slices={"country": country, "even": np.arange(1020) % 2 == 0})


def by_place(decision):
    return {check.where: str(check.verdict) for check in decision.checks}


def test_budgets_of_slices_go_from_the_general_to_the_special():
    policy = Policy(
        every_slice={"max_nfr": 0.5, "minimum_samples": 10},
        slices=[
            {"column": "country", "max_nfr": 0.05},
            {"column": "country", "value": "FR", "max_nfr": 0.2, "min_accuracy": 0.5},
            {"column": "even", "value": True, "exempt": True},
        ],
    )
    assert {place: value.limit for place, value in budget_of(policy, "country", "DE").limits.items()} == {
        "max_nfr": 0.05
    }
    assert {key: value.limit for key, value in budget_of(policy, "country", "FR").limits.items()} == {
        "max_nfr": 0.2,
        "min_accuracy": 0.5,
    }
    assert budget_of(policy, "country", "FR").minimum == 10
    assert {key: value.limit for key, value in budget_of(policy, "even", "False").limits.items()} == {"max_nfr": 0.5}
    decision = decide(sliced(germany=60, france=60), policy)
    found = {(check.where, check.rule): str(check.verdict) for check in decision.checks}
    assert found == {
        ("country = DE", "max_nfr"): "fail",
        ("country = FR", "max_nfr"): "pass",
        ("country = FR", "min_accuracy"): "pass",
        ("country = LU", "max_nfr"): "undecided",
        ("even = False", "max_nfr"): "pass",
        ("even = True", "exempt"): "exempt",
    }
    assert decision.verdict == "fail"


def regions(*values):
    """500 samples in each region, half of which break in the first one."""
    labels, old, new = arrays(500 * len(values))
    new[:250] = 0
    return compare(labels, old, new, slices={"region": np.repeat(np.array(values, dtype=object), 500)})


def region_policy(*values):
    slices = [{"column": "region", "value": value, "exempt": True} for value in values]
    return Policy(every_slice={"max_nfr": 0.1}, slices=slices)


def test_a_text_names_the_slice_that_is_written_so_and_no_equal_number():
    decision = decide(regions("07", "7"), region_policy("7"))
    assert by_place(decision) == {"region = 07": "fail", "region = 7": "exempt"}
    assert by_place(decide(regions("07", "8"), region_policy("7")))["region = 07"] == "fail"
    assert by_place(decide(regions("1_000", "8"), region_policy(1000)))["region = 1_000"] == "fail"


def test_a_number_names_what_is_written_so_and_else_what_is_equal():
    assert by_place(decide(regions("07", "7"), region_policy(7))) == {"region = 07": "fail", "region = 7": "exempt"}
    assert by_place(decide(regions("7.0", "8.0"), region_policy(7)))["region = 7.0"] == "exempt"
    # What was typed as a number stays one where the policy is made anew.
    policy = region_policy(7).replaced(max_nfr=0.5)
    assert by_place(decide(regions("7.0", "8.0"), policy))["region = 7.0"] == "exempt"
    missing = Policy(slices=[{"column": "region", "value": "7", "max_nfr": 0.1}])
    assert "no sample has this value; region has 07, 8" in str(decide(regions("07", "8"), missing))


def test_two_budgets_for_the_same_slices_are_refused():
    for pair in ((7, "7"), (7, 7.0), (7.0, "7"), ("7", "7"), (True, "true")):
        with pytest.raises(InputError, match="number 2 names the same slices as an earlier one"):
            region_policy(*pair)
    assert len(region_policy("7", "07", True, 1).slices) == 4


def test_small_slices_are_undecided_unless_the_policy_ignores_them():
    strict = Policy(every_slice={"max_nfr": 0.3, "minimum_samples": 100})
    assert by_place(decide(sliced(), strict))["country = LU"] == "undecided"
    lenient = Policy(every_slice={"max_nfr": 0.3, "minimum_samples": 100, "ignore_smaller": True})
    decision = decide(sliced(), lenient)
    assert by_place(decision)["country = LU"] == "exempt"
    assert decision.verdict == "pass"
    assert decision.headline == "new may replace old: 4 checks passed (1 exempt by the policy)"
    assert "20 samples, and the policy ignores slices below 100" in str(decision)


def test_slices_of_samples_without_weight_are_small():
    labels, old, new = arrays(1000)
    weights = np.where(np.arange(1000) < 500, 1.0, np.arange(1000) % 50 == 0)  # ten of FR weigh something
    report = compare(labels, old, new, weights=weights, slices={"country": np.repeat(["DE", "FR"], 500)})
    for ignored, verdict in ((False, "undecided"), (True, "exempt")):
        policy = Policy(every_slice={"max_nfr": 0.5, "minimum_samples": 100, "ignore_smaller": ignored})
        decision = decide(report, policy)
        assert by_place(decision) == {"country = DE": "pass", "country = FR": verdict}
        assert "500 samples (worth 10 of equal weight)" in str(decision)


def test_a_slice_without_samples_is_undecided_and_names_what_there_is():
    policy = Policy(slices=[{"column": "country", "value": "AT", "max_nfr": 0.1}])
    decision = decide(sliced(), policy)
    assert decision.verdict == "undecided"
    assert "no sample has this value; country has DE, FR, LU" in str(decision)


def test_a_slice_column_that_was_not_measured_is_refused():
    with pytest.raises(InputError, match="limits column 'county', which the report was not broken down by"):
        decide(sliced(), Policy(slices=[{"column": "county", "max_nfr": 0.1}]))
    with pytest.raises(InputError, match="no slice was measured"):
        decide(report_of(100), Policy(every_slice={"max_nfr": 0.1}))


def test_many_slice_limits_come_with_a_word_on_luck():
    labels, old, new = arrays(4000)
    new[:90] = 0
    report = compare(labels, old, new, slices={"shop": np.repeat(np.arange(20), 200)})
    decision = decide(report, Policy(every_slice={"max_nfr": 0.1}))
    assert decision.verdict == "fail"
    assert decision.notes == (
        "20 slice limits were judged one by one: if every slice were exactly at its limit, about 0.5 of them would "
        "fail by luck",
    )


# --- protected samples -----------------------------------------------------------------------------------------------

IDS = np.array([f"s{number}" for number in range(100)])


def test_a_protected_sample_that_flips_fails_and_is_named():
    decision = decide(report_of(100, broken=2, ids=IDS), Policy(golden={"ids": ["s1", "s50"]}), ids=IDS)
    assert decision.verdict == "fail"
    assert decision.checks[0].ids == ("s1",)
    assert decision.checks[0].reason == "1 of 2 flipped from right to wrong: s1"


def test_protected_samples_may_flip_from_wrong_to_right():
    report = report_of(100, broken=1, mended=1, ids=IDS)
    assert decide(report, Policy(golden={"ids": ["s1", "s2"]}), ids=IDS).verdict == "pass"


def test_protected_samples_that_are_not_in_the_data_are_undecided_and_named():
    report = report_of(100, broken=2, ids=IDS)
    decision = decide(report, Policy(golden={"ids": ["s50", "other"]}), ids=IDS)
    assert decision.verdict == "undecided"
    assert decision.checks[0].reason == "1 of 2 are not in the data: other"
    unknown = decide(report, Policy(golden={"ids": ["s50"]}))
    assert unknown.verdict == "undecided"
    assert "without ids=" in unknown.checks[0].reason


def test_protected_samples_cannot_be_judged_on_a_part_of_the_flips():
    report = report_of(100, broken=10, ids=IDS)
    columns = {name: column[:5] for name, column in report.flips.columns.items()}
    part = dataclasses.replace(report, flips=dataclasses.replace(report.flips, columns=columns))
    assert not part.flips.complete
    decision = decide(part, Policy(golden={"ids": ["s50"]}), ids=IDS)
    assert decision.verdict == "undecided"
    assert "only some of the 10 negative flips" in decision.checks[0].reason
    assert decide(part, Policy(golden={"ids": ["s2"]}), ids=IDS).verdict == "fail"
    # All negative flips are enough: positive ones need not be held.
    mended = report_of(100, broken=3, mended=5, ids=IDS)
    columns = {name: column[:3] for name, column in mended.flips.columns.items()}
    negative = dataclasses.replace(mended, flips=dataclasses.replace(mended.flips, columns=columns))
    assert decide(negative, Policy(golden={"ids": ["s50"]}), ids=IDS).verdict == "pass"


def test_ids_may_be_numbers_in_the_data_and_in_the_policy():
    report = report_of(100, broken=3)
    assert decide(report, Policy(golden={"ids": [2]}), ids=range(100)).verdict == "fail"
    assert decide(report, Policy(golden={"ids": ["7"]}), ids=np.arange(100)).verdict == "pass"


def test_ids_that_are_whole_floating_point_numbers_are_found_without_the_point():
    floats = np.arange(1000.0) + 7
    report = report_of(1000, broken=1, ids=floats)
    for golden in (7, "7", "7.0"):
        assert decide(report, Policy(golden={"ids": [golden]}), ids=floats).verdict == "fail"
    assert decide(report, Policy(golden={"ids": [8, "9.0"]}), ids=floats).verdict == "pass"
    assert decide(report, Policy(golden={"ids": [7]}), ids=range(7, 1007)).verdict == "fail"
    assert decide(report_of(1000, broken=1), Policy(golden={"ids": [0]}), ids=np.arange(1000.0)).verdict == "fail"
    halves = report_of(1000, broken=1, ids=floats + 0.5)
    assert decide(halves, Policy(golden={"ids": [7]}), ids=floats + 0.5).verdict == "undecided"


def test_ids_that_are_not_the_reports_are_refused():
    named = [f"a{number}" for number in range(1000)]
    by_position = report_of(1000, broken=1)
    with pytest.raises(InputError, match=r"ids= lacks ids of flipped samples of the report \(1 of 1, such as '0'\)"):
        decide(by_position, Policy(max_nfr=0.02, golden={"ids": ["a0"]}), ids=named)
    with pytest.raises(InputError, match="pass the ids that compare"):
        decide(report_of(100, broken=2, ids=IDS), Policy(golden={"ids": ["s50"]}), ids=["s50", "s0"])
    assert decide(report_of(1000), Policy(golden={"ids": ["a0"]}), ids=named).verdict == "pass"


def test_the_list_of_protected_samples_may_be_a_file(tmp_path):
    (tmp_path / "golden.txt").write_text("# the customers that complained\ns1\n\n s50 \n", encoding="utf-8")
    (tmp_path / "policy.toml").write_text('[golden]\nids = ["s60", "s1"]\nfile = "golden.txt"\n', encoding="utf-8")
    policy = Policy.read(tmp_path / "policy.toml")
    assert policy.protected_ids() == ("s60", "s1", "s50")
    decision = decide(report_of(100, broken=2, ids=IDS), tmp_path / "policy.toml", ids=IDS)
    assert decision.checks[0].ids == ("s1",)


# --- scores ----------------------------------------------------------------------------------------------------------


def test_graded_scores_have_limits_of_their_own():
    draws = np.random.default_rng(1)
    old = draws.uniform(0, 1, 3000)
    report = compare_scores(old, np.clip(old + draws.normal(0.02, 0.05, 3000), 0, 1), tolerance=0.2)
    policy = Policy(max_nfr=0.01, min_score=0.4, min_score_change=0.0)
    decision = decide(report, policy)
    assert [check.rule for check in decision.checks] == ["max_nfr", "min_score", "min_score_change"]
    assert decision.verdict == "pass"
    assert decide(report, Policy(min_score_change=0.1)).verdict == "fail"


def test_limits_that_make_no_sense_are_refused():
    scores = compare_scores([0.1, 0.9], [0.2, 0.8])
    with pytest.raises(InputError, match="sets max_churn, but the report is on graded scores, which have no churn"):
        decide(scores, Policy(max_churn=0.1))
    with pytest.raises(InputError, match=r"there are max_nfr$"):
        decide(scores, Policy(every_slice={"min_accuracy_change": 0.1}))
    with pytest.raises(InputError, match="sets min_score, but the report is on classes"):
        decide(report_of(10), Policy(min_score=0.1))


# --- mistakes, and the forms of the result ---------------------------------------------------------------------------


def test_other_confidence_than_the_policys_is_refused():
    with pytest.raises(InputError, match=r"asks for confidence 0.99 but the report has 0.95; measure with confid"):
        decide(report_of(10), Policy(max_nfr=0.1, confidence=0.99))
    assert decide(report_of(1000, confidence=0.99), Policy(max_nfr=0.1, confidence=0.99)).passed


def test_what_is_no_report_or_no_policy_is_refused():
    with pytest.raises(InputError, match="report is a dict"):
        decide({}, Policy(max_nfr=0.1))
    with pytest.raises(InputError, match=r"policy is a float; pass a Policy, such as Policy\(max_nfr=0.01\)"):
        decide(report_of(10), 0.1)


def test_a_decision_can_be_read_by_machines_and_notebooks():
    decision = decide(sliced(germany=200), Policy(max_nfr=0.01, every_slice={"max_nfr": 0.3}))
    told = decision.to_dict()
    assert told["verdict"] == "fail"
    assert told["exit_code"] == 1
    assert len(told["checks"]) == len(decision.checks)
    assert told["checks"][0]["estimate"]["value"] == pytest.approx(200 / 1020)
    html = decision._repr_html_()
    assert "FAIL" in html
    assert html.count("<tr>") == 1 + len(decision.checks)
    assert decision.ordered()[0].verdict == "fail"
    assert sorted(map(str, decision.ordered())) == sorted(map(str, decision.checks))


def test_names_in_notebooks_are_escaped():
    labels, old, new = arrays(100)
    report = compare(labels, old, new, slices={"x": np.repeat(["<script>", "b"], 50)}, names=("<b>", "<i>"))
    html = decide(report, Policy(every_slice={"max_nfr": 0.2}))._repr_html_()
    assert "<script>" not in html
    assert "<i>" not in html
