import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from segue.errors import InputError
from segue.flips.intervals import clopper_pearson
from segue.flips.power import samples_to_pass, smallest_visible_nfr


@pytest.mark.parametrize("n", [1, 10, 368, 5000])
def test_the_smallest_visible_rate_is_seen_with_the_power_asked_for(n):
    rate = smallest_visible_nfr(n)
    assert 1 - (1 - rate) ** n == pytest.approx(0.8)


@pytest.mark.parametrize(("n", "budget"), [(500, 0.01), (5000, 0.01), (20_000, 0.002)])
def test_above_a_budget_it_is_found_by_enumerating_outcomes(n, budget):
    rate = smallest_visible_nfr(n, budget=budget, power=0.9)
    seen = sum(
        stats.binom.pmf(k, n, rate)
        for k in range(n + 1)
        if stats.binom.pmf(k, n, rate) > 1e-15 and clopper_pearson(k, n).low > budget
    )
    assert seen == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize(
    ("budget", "nfr", "power"), [(0.01, 0.0, 0.8), (0.01, 0.005, 0.8), (0.05, 0.03, 0.9), (0.002, 0.001, 0.5)]
)
def test_the_sample_size_passes_with_the_power_asked_for_and_no_smaller_one_of_its_kind_does(budget, nfr, power):
    n = samples_to_pass(budget, nfr=nfr, power=power)

    def chance(size: int) -> float:
        flips = np.arange(size + 1)
        passing = [k for k in flips[: int(budget * size) + 2] if clopper_pearson(int(k), size).high <= budget]
        return float(stats.binom.pmf(passing, size, nfr).sum()) if passing else 0.0

    assert chance(n) >= power
    assert all(chance(size) < power for size in range(max(1, n - 40), n))


@settings(max_examples=30)
@given(st.floats(0.001, 0.2), st.floats(0, 0.8))
def test_more_power_needs_no_fewer_samples(budget, share):
    assert samples_to_pass(budget, nfr=share * budget, power=0.5) <= samples_to_pass(
        budget, nfr=share * budget, power=0.9
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: samples_to_pass(0.01, nfr=0.01), "below the budget"),
        (lambda: samples_to_pass(0.0), "below the budget"),
        (lambda: samples_to_pass(1.5), "budget is 1.5"),
        (lambda: smallest_visible_nfr(0), "samples is 0"),
        (lambda: smallest_visible_nfr(10, power=1.0), "power is 1.0"),
        (lambda: smallest_visible_nfr(3, budget=0.9), "can't show any rate above 0.9"),
    ],
)
def test_impossible_questions_are_refused_in_a_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call()
