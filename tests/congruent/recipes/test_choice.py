"""Rules and the front on candidates worked by hand, and the front against its definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from segue.congruent.recipes import Candidate, FewestFlips, MostAccurate, Outcome, front
from segue.congruent.recipes.predictors import Members, Single
from segue.errors import InputError
from segue.flips.counts import Counts


def candidate(right, broken, *, trainings=1.0, passes=1, name="m"):
    """A candidate on 1,000 samples of which the old model gets 700 right."""
    mended = right - (700 - broken)
    predictor = Single(nn.Identity) if passes == 1 else Members([nn.Identity] * passes)
    return Candidate(name, {}, Counts(700 - broken, broken, mended, 300 - mended, 0), trainings, predictor)


PLAIN = candidate(850, 60, name="independent")


def test_the_numbers_of_a_candidate_by_hand():
    one = candidate(800, 20)
    assert (one.accuracy, one.negative_flip_rate, one.positive_flip_rate) == (0.8, 0.02, 0.12)
    # 20 broken; 700 right times 20% errors would be 140.
    assert one.relative_negative_flip_rate == pytest.approx(20 / 140)
    assert candidate(1000, 0).relative_negative_flip_rate == 0.0
    assert one.to_dict()["counts"]["negative_flips"] == 20


@pytest.mark.parametrize(
    ("rule", "others", "picked"),
    [
        pytest.param(FewestFlips(0.0), [(849, 10), (850, 40), (870, 50)], (850, 40), id="not below the plain accuracy"),
        pytest.param(FewestFlips(), [(848, 10), (847, 0)], (848, 10), id="by default a quarter of a point"),
        pytest.param(FewestFlips(0.001), [(849, 10), (850, 40)], (849, 10), id="just within the margin"),
        pytest.param(FewestFlips(0.001), [(848, 10), (850, 40)], (850, 40), id="just outside it"),
        pytest.param(FewestFlips(0.0), [(849, 10), (800, 0)], (850, 60), id="none qualifies: the plain one"),
        pytest.param(FewestFlips(0.0), [(850, 40), (860, 40), (855, 40)], (860, 40), id="a tie: the more accurate"),
        pytest.param(MostAccurate(0.04), [(845, 40), (860, 41), (840, 10)], (845, 40), id="within the flips"),
        pytest.param(MostAccurate(0.04), [(845, 40), (845, 30)], (845, 30), id="a tie: fewer flips"),
        pytest.param(MostAccurate(0.001), [(845, 40), (800, 30), (810, 30)], (810, 30), id="none: the fewest flips"),
        pytest.param(MostAccurate(0.99), [(845, 40)], (850, 60), id="any flips: the most accurate of all"),
    ],
)
def test_what_a_rule_picks(rule, others, picked):
    candidates = [PLAIN, *(candidate(*one) for one in others)]
    for order in (candidates, candidates[::-1]):
        found = rule.pick(order, PLAIN)
        assert (found.counts.right_new, found.counts.negative_flips) == picked


@pytest.mark.parametrize(
    ("rule", "one", "met"),
    [
        (FewestFlips(0.01), candidate(840, 90), True),
        (FewestFlips(0.01), candidate(839, 0), False),
        (FewestFlips(0.01), candidate(900, 0, passes=2), False),
        (MostAccurate(0.03), candidate(700, 30), True),
        (MostAccurate(0.03), candidate(990, 31), False),
    ],
)
def test_whether_a_candidate_does_what_the_rule_asks(rule, one, met):
    assert rule.met(one, PLAIN) is met


def outcome_of(pick, rule, plain=PLAIN):
    return Outcome(plain, (plain, pick), pick, rule, ())


def test_a_rule_that_nobody_meets_is_told():
    told = outcome_of(candidate(845, 20, name="near"), MostAccurate(0.001)).explain()
    assert told.endswith(
        "No candidate meets the rule (the highest accuracy with at most 0.1% negative flips, with one model at "
        "prediction time). The nearest one is near: on the validation samples it breaks 2.00% at an accuracy of "
        "84.50% (the unconstrained model breaks 6.00% at 85.00%)."
    )


def test_an_unconstrained_model_that_is_worse_than_the_old_one_is_told():
    worse = "The unconstrained model is worse than the old one"
    failed = candidate(650, 100)
    assert worse in outcome_of(failed, FewestFlips(), failed).explain()
    assert worse not in outcome_of(PLAIN, FewestFlips()).explain()


def test_among_equals_the_cheaper_one_is_picked():
    dear, cheap = candidate(860, 20, trainings=5.0), candidate(860, 20, trainings=1.0)
    for rule in (FewestFlips(), MostAccurate(0.1)):
        assert rule.pick([dear, cheap, PLAIN], PLAIN) is cheap
        assert rule.pick([cheap, dear, PLAIN], PLAIN) is cheap
    assert front([dear, cheap]) == (cheap,)


@pytest.mark.parametrize("rule", [FewestFlips, lambda passes: MostAccurate(0.06, passes)])
def test_several_models_are_picked_only_where_they_may_run(rule):
    pair = candidate(900, 1, passes=2)
    assert rule(passes=1).pick([PLAIN, pair], PLAIN) is PLAIN
    assert rule(passes=2).pick([PLAIN, pair], PLAIN) is pair


def test_accuracies_that_differ_by_rounding_alone_are_equal():
    third = Candidate("m", {}, Counts(1, 0, 0, 2, 0), 1.0, Single(nn.Identity))
    sixth = Candidate("n", {}, Counts(2, 0, 0, 4, 0), 1.0, Single(nn.Identity))
    assert FewestFlips(0.1).pick([sixth], third) is sixth
    assert FewestFlips(0.3).pick([candidate(550, 0)], PLAIN).counts.negative_flips == 0  # 0.85 - 0.3 > 0.55


@pytest.mark.parametrize(
    ("make", "said"),
    [
        *(
            (
                lambda margin=margin: FewestFlips(margin),
                f"margin is {margin!r}; pass a share from 0 to below 1 (write half a point as 0.005)",
            )
            for margin in (-0.1, float("nan"), True, 1, 1.0, "0.1")
        ),
        *(
            (
                lambda rate=rate: MostAccurate(rate),
                f"max_negative_flip_rate is {rate!r}; pass a share from 0 to below 1 (write 1% as 0.01)",
            )
            for rate in (1.5, 1, 1.0, -0.01, float("nan"), True)
        ),
        (lambda: FewestFlips(passes=0), "passes is 0; pass how many models may run at prediction time, from 1"),
        (lambda: MostAccurate(0.1, 1.5), "passes is 1.5; pass how many models may run at prediction time, from 1"),
    ],
)
def test_rules_that_are_none(make, said):
    with pytest.raises(InputError) as error:
        make()
    assert str(error.value) == said


@pytest.mark.parametrize("rule", [FewestFlips(), MostAccurate(0.01)])
def test_one_validation_sample_tells_no_models_apart(rule):
    one, two = (Candidate("m", {}, Counts(samples, 0, 0, 0, 0), 1.0, Single(nn.Identity)) for samples in (1, 2))
    with pytest.raises(InputError) as error:
        rule.pick([one], one)
    assert str(error.value) == (
        "validation has 1 sample, on which every model breaks all or nothing; hold out some hundreds, so that models "
        "can be told apart"
    )
    assert rule.pick([two], two) is two


def test_the_front_by_hand():
    best, middle, least = candidate(900, 60), candidate(880, 20), candidate(800, 5)
    worse = [candidate(899, 60), candidate(880, 21), candidate(879, 20), candidate(790, 5), candidate(700, 700)]
    assert front([*worse, least, best, middle]) == (best, middle, least)
    assert front([]) == ()


places = st.integers(0, 30).flatmap(lambda broken: st.tuples(st.integers(700 - broken, 1000 - broken), st.just(broken)))


def dominates(one, other):
    better = one.accuracy > other.accuracy or one.negative_flip_rate < other.negative_flip_rate
    return better and one.accuracy >= other.accuracy and one.negative_flip_rate <= other.negative_flip_rate


@given(st.lists(st.builds(lambda place: candidate(*place), places), max_size=30))
def test_nothing_dominates_the_front_and_it_leaves_nothing_out(candidates):
    found = front(candidates)
    assert all(any(one is other for other in candidates) for one in found)
    for member in found:
        assert not any(dominates(one, member) for one in candidates)
    for one in candidates:
        equal = [m for m in found if (m.accuracy, m.negative_flip_rate) == (one.accuracy, one.negative_flip_rate)]
        assert equal or any(dominates(member, one) for member in found)
    assert len({(one.accuracy, one.negative_flip_rate) for one in found}) == len(found)


@given(st.lists(st.builds(lambda place: candidate(*place), places), min_size=1), st.floats(0, 0.1))
def test_a_pick_is_on_the_front_of_what_its_rule_accepts(candidates, limit):
    for rule in (FewestFlips(limit), MostAccurate(limit)):
        picked = rule.pick([*candidates, PLAIN], PLAIN)
        assert not any(dominates(one, picked) for one in [*candidates, PLAIN])


def test_one_point_is_told_in_the_singular():
    assert "not below the unconstrained model's by more than 1 point, with" in str(FewestFlips(0.01))
    assert "not below the unconstrained model's by more than 0.25 points, with" in str(FewestFlips())
