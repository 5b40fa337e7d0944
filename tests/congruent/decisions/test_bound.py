"""The bound of the lost accuracy: exact for every sample size, and for whatever is chosen with it."""

import numpy as np
import pytest
from scipy import stats

from segue.congruent.decisions.bound import loss_bound, safe_candidates


def test_by_hand():
    # nothing lost and nothing won among 100: 1 - 0.025 ** (1 / 100)
    assert loss_bound(0, 0, 100, 0.95) == pytest.approx(1 - 0.025**0.01)
    # all lost: 1; all won: -(0.025 ** (1 / 10)) plus the upper end of none lost
    assert loss_bound(10, 0, 10, 0.95) == 1.0
    assert loss_bound(0, 10, 10, 0.95) == pytest.approx((1 - 0.025**0.1) - 0.025**0.1)


@pytest.mark.parametrize("samples", [5, 30])
@pytest.mark.parametrize("lose", [0.0, 0.02, 0.2, 0.5])
@pytest.mark.parametrize("win", [0.0, 0.02, 0.2, 0.5])
def test_the_loss_exceeds_the_bound_at_most_as_often_as_promised(samples, lose, win):
    exceeded = sum(
        stats.multinomial.pmf([lost, won, samples - lost - won], samples, [lose, win, 1 - lose - win])
        for lost in range(samples + 1)
        for won in range(samples + 1 - lost)
        if loss_bound(lost, won, samples, 0.9) < lose - win
    )
    assert exceeded <= 0.1


def test_the_trial_ends_at_the_first_candidate_that_can_not_be_shown_to_be_safe():
    new = np.ones(1000, dtype=bool)
    worse = new.copy()
    worse[:200] = False
    assert safe_candidates(new, [new, new, worse, new], margin=0.05, confidence=0.95) == [0, 1]
    assert safe_candidates(new[:50], [new[:50], new[:50]], margin=0.05, confidence=0.95) == [0]  # too few samples


def test_whatever_is_chosen_keeps_to_the_margin_as_often_as_promised():
    # Forty candidates that lose ever more; those beyond the 20th lose more than the margin of 5%.
    draws = np.random.default_rng(0)
    losses = np.arange(40) / 400
    broken = 0
    for _ in range(400):
        luck = draws.random((40, 400))
        right = [luck[place] >= loss for place, loss in enumerate(losses)]
        right[0][:] = True
        broken += losses[max(safe_candidates(np.ones(400, bool), right, 0.05, 0.9))] > 0.05 + 1e-9
    assert broken / 400 <= 0.1
