import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from segue.adapters import LocalMixture, Ridge
from segue.adapters.local_mixture import responsibilities, squared_distances
from segue.errors import InputError
from tests.adapters.spaces import paired


def bent(rng, pairs=400):
    """Two clusters, each with a linear map of its own."""
    source = rng.normal(size=(pairs, 3)) + np.where(np.arange(pairs) % 2, 10, -10)[:, None]
    first, second = rng.normal(size=(2, 3, 3))
    target = np.where(np.arange(pairs)[:, None] % 2, source @ first, source @ second + 5)
    return source, target


def test_the_absolute_value_by_hand():
    source = [[-3.0], [-2.0], [-1.0], [1.0], [2.0], [3.0]]
    adapter = LocalMixture(regions=2, strength=0, local_strength=0, softness=0.01, unit=False)
    adapter.fit(source, np.abs(source))
    assert sorted(adapter.centres.ravel().tolist()) == [-2, 2]
    np.testing.assert_allclose(adapter.transform([[-2.5], [1.5]]), [[2.5], [1.5]], rtol=1e-4)


def test_maps_of_two_clusters_are_both_found(rng):
    source, target = bent(rng)
    mixture = LocalMixture(regions=2, strength=0, local_strength=0, unit=False).fit(source[100:], target[100:])
    np.testing.assert_allclose(mixture.transform(source[:100]), target[:100], rtol=1e-3, atol=1e-3)
    ridge = Ridge(strength=0, unit=False).fit(source[100:], target[100:])
    assert np.abs(ridge.transform(source[:100]) - target[:100]).max() > 1


def test_it_agrees_with_loops_over_regions_and_rows(rng):
    source, target = paired(rng, pairs=80, noise=1)
    adapter = LocalMixture(regions=4, strength=0.2, local_strength=2, softness=0.3, unit=False).fit(source, target)
    overall = Ridge(strength=0.2, unit=False).fit(source, target).transform(source).astype(float)
    squares = cdist(source.astype(float), adapter.centres.astype(float)) ** 2
    weights = np.exp(-squares / (2 * 0.3 * squares.min(axis=1).mean()))
    weights /= weights.sum(axis=1, keepdims=True)
    expected = overall.copy()
    for region in range(4):
        weight = weights[:, region]
        drawn = 2 * 80 / 4 / weight.sum()
        anchor = np.average(source, axis=0, weights=weight)
        shift = np.average(target - overall, axis=0, weights=weight)
        covariance = sum(w * np.outer(x - anchor, x - anchor) for w, x in zip(weight, source, strict=True))
        cross = sum(
            w * np.outer(x - anchor, e - shift) for w, x, e in zip(weight, source, target - overall, strict=True)
        )
        penalty = drawn * np.trace(covariance) / 5 * np.eye(5)
        correction = np.linalg.solve(covariance + penalty, cross)
        for row in range(80):
            expected[row] += weight[row] * (shift / (1 + drawn) + (source[row] - anchor) @ correction)
    np.testing.assert_allclose(adapter.transform(source), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("change", [{"regions": 1, "strength": 0, "local_strength": 1}, {"local_strength": 1e12}])
def test_with_nothing_to_correct_it_is_the_global_map(change, rng):
    source, target = paired(rng)
    adapter = LocalMixture(**({"regions": 3, "strength": 0.1} | change)).fit(source, target)
    ridge = Ridge(strength=adapter.strength).fit(source, target)
    np.testing.assert_allclose(adapter.transform(source), ridge.transform(source), atol=1e-5)


def test_the_same_seed_gives_the_same_map(rng):
    source, target = paired(rng)
    one, again, other = (LocalMixture(regions=5, seed=seed).fit(source, target).centres for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@given(seed=st.integers(0, 999), softness=st.floats(1e-6, 1e3))
def test_responsibilities_are_shares_and_largest_in_the_nearest_region(seed, softness):
    rng = np.random.default_rng(seed)
    rows, centres = rng.normal(size=(20, 3)).astype(np.float32), rng.normal(size=(4, 3)).astype(np.float32)
    distances = squared_distances(rows, centres)
    np.testing.assert_allclose(distances, cdist(rows.astype(float), centres.astype(float)) ** 2, atol=1e-9)
    shares = responsibilities(distances, softness)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares[np.arange(20), distances.argmin(axis=1)] >= shares.max(axis=1) - 1e-12).all()


def test_as_many_regions_as_rows_are_possible(rng):
    source, target = paired(rng, pairs=6)
    adapter = LocalMixture(regions=6).fit(source, target)
    assert np.isfinite(adapter.transform(source)).all()


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"regions": 0}, "regions is 0; pass a whole number from 1 on"),
        ({"regions": 61}, "regions is 61, but source has 60 different rows; pass fewer regions"),
        ({"strength": -1}, "strength is -1; pass a finite number of 0 or more"),
        ({"local_strength": None}, "local_strength is None; pass a finite number of 0 or more"),
        ({"softness": 0}, "softness is 0; pass a finite number above 0"),
        ({"seed": -1}, "seed is -1; pass a whole number from 0 on"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params, sentence, rng):
    with pytest.raises(InputError) as error:
        LocalMixture(**params).fit(*paired(rng))
    assert str(error.value) == sentence
