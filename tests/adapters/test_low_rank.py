import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.adapters import LowRankAffine, Ridge
from segue.errors import InputError
from tests.adapters.spaces import paired


def matrix_of(adapter):
    return adapter.inward.astype(float) @ adapter.outward


def loss(matrix, source, target, strength):
    one, other = source - source.mean(axis=0, dtype=float), target - target.mean(axis=0, dtype=float)
    penalty = strength * np.square(one).sum() / len(one) / one.shape[1]
    return np.square(one @ matrix - other).sum() / len(one) + penalty * np.square(matrix).sum()


def test_the_direction_that_matters_most_is_kept_by_hand():
    # two directions of the source, each with a dimension of the target to itself, the second with nine times the power
    source = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    target = [[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, -3.0]]
    adapter = LowRankAffine(rank=1, strength=0, unit=False).fit(source, target)
    np.testing.assert_allclose(matrix_of(adapter), [[0, 0], [0, 3]], atol=1e-6)


@pytest.mark.parametrize("strength", [0, 0.1, 5])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_no_small_step_within_the_rank_lowers_the_loss(rank, strength, rng):
    source, target = paired(rng, source=5, target=4, noise=2)
    adapter = LowRankAffine(rank=rank, strength=strength, unit=False).fit(source, target)
    best = loss(matrix_of(adapter), source, target, strength)
    for size in (1e-3, 1e-2, 0.1, 1):
        for _ in range(50):
            inward = adapter.inward + size * rng.normal(size=adapter.inward.shape)
            outward = adapter.outward + size * rng.normal(size=adapter.outward.shape)
            assert loss(inward @ outward, source, target, strength) > best - 1e-6 * best


def test_least_squares_by_alternating_ends_at_the_same_loss(rng):
    source, target = paired(rng, source=5, target=4, noise=2)
    one, other = source - source.mean(axis=0, dtype=float), target - target.mean(axis=0, dtype=float)
    outward = rng.normal(size=(2, 4))
    for _ in range(500):
        inward = np.linalg.lstsq(one, other @ np.linalg.pinv(outward), rcond=None)[0]
        outward = np.linalg.lstsq(one @ inward, other, rcond=None)[0]
    adapter = LowRankAffine(rank=2, strength=0, unit=False).fit(source, target)
    assert loss(matrix_of(adapter), source, target, 0) == pytest.approx(
        loss(inward @ outward, source, target, 0), rel=1e-4
    )


@given(seed=st.integers(0, 999), unit=st.booleans(), center=st.booleans())
def test_at_full_rank_it_is_ridge(seed, unit, center):
    source, target = paired(np.random.default_rng(seed), source=6, target=3)
    low = LowRankAffine(rank=3, strength=0.2, unit=unit, center=center).fit(source, target)
    ridge = Ridge(strength=0.2, unit=unit, center=center).fit(source, target)
    np.testing.assert_allclose(low.transform(source), ridge.transform(source), rtol=1e-4, atol=1e-4)


def test_fewer_pairs_than_directions_leave_the_others_at_nothing(rng):
    source, target = paired(rng, pairs=3, source=8, target=7)
    adapter = LowRankAffine(rank=6, strength=0, unit=False).fit(source, target)
    np.testing.assert_allclose(adapter.transform(source), target, rtol=1e-3, atol=1e-3)
    assert np.linalg.matrix_rank(matrix_of(adapter), tol=1e-5) == 2


@pytest.mark.parametrize(
    ("rank", "sentence"),
    [
        (0, "rank is 0; pass a whole number from 1 on"),
        (2.0, "rank is 2.0; pass a whole number from 1 on"),
        (True, "rank is True; pass a whole number from 1 on"),
        (5, "rank is 5; pass a whole number from 1 to 4, the smaller dimension"),
    ],
)
def test_a_rank_that_makes_no_sense_is_refused(rank, sentence, rng):
    with pytest.raises(InputError) as error:
        LowRankAffine(rank=rank).fit(*paired(rng))
    assert str(error.value) == sentence
