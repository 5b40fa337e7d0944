import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as oracle

from segue.flips.counts import Tally
from segue.flips.paired import mcnemar, paired_test


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_agrees_with_statsmodels(b, c):
    if b + c == 0:
        return
    assert mcnemar(b, c) == pytest.approx(min(1.0, oracle([[7, b], [c, 9]], exact=True).pvalue), rel=1e-9)


def test_nothing_flips_is_no_evidence():
    assert mcnemar(0, 0) == 1.0


def test_a_million_discordant_pairs_are_no_trouble():
    assert mcnemar(499_000, 501_000) == pytest.approx(2 * stats.norm.sf(1999 / 1000), rel=0.01)


def test_groups_that_flip_together_are_one_observation_each():
    # five customers of 20 samples each went from right to wrong: six times as if independent, 2 * 0.5^5 by customers
    fates = np.repeat([1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 20).astype(np.int8)
    independent = paired_test(Tally.of(fates))
    grouped = paired_test(Tally.of(fates, groups=np.repeat(np.arange(15), 20)))
    assert independent.p_value < 1e-20
    assert 0.01 < grouped.p_value < 0.1
    assert grouped.name == "clustered McNemar"


def test_the_p_value_of_the_weighted_test_is_uniform_when_neither_model_is_better(rng):
    p = [
        paired_test(
            Tally.of(rng.choice(5, 400, p=[0.7, 0.1, 0.1, 0.05, 0.05]).astype(np.int8), rng.exponential(size=400))
        ).p_value
        for _ in range(400)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.001
