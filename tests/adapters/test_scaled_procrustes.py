import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segue.adapters import Procrustes, ScaledProcrustes
from tests.adapters.spaces import paired, rotation_matrix


def test_a_quarter_turn_and_two_scales_by_hand():
    adapter = ScaledProcrustes(center=False, unit=False).fit([[1.0, 0.0], [0.0, 1.0]], [[0.0, 3.0], [-2.0, 0.0]])
    np.testing.assert_allclose(adapter.matrix, [[0, 3], [-2, 0]], atol=1e-6)


def test_scales_are_the_regression_of_each_dimension_on_its_rotated_counterpart(rng):
    source, target = paired(rng, source=5, target=3, noise=1)
    turned = Procrustes(unit=False).fit(source, target).transform(source)
    expected = np.empty_like(turned)
    for dimension in range(3):
        slope, start = np.polyfit(turned[:, dimension].astype(float), target[:, dimension].astype(float), 1)
        expected[:, dimension] = start + slope * turned[:, dimension]
    mapped = ScaledProcrustes(unit=False).fit(source, target).transform(source)
    np.testing.assert_allclose(mapped, expected, rtol=1e-4, atol=1e-4)


@given(seed=st.integers(0, 999), source=st.integers(1, 6), target=st.integers(1, 6))
def test_the_error_on_the_pairs_is_never_above_that_of_the_rotation(seed, source, target):
    one, other = paired(np.random.default_rng(seed), 30, source, target, noise=1)
    errors = [
        np.square(kind(unit=False).fit(one, other).transform(one) - other).sum()
        for kind in (ScaledProcrustes, Procrustes)
    ]
    assert errors[0] <= errors[1] * (1 + 1e-5)


def test_a_rotated_and_stretched_white_space_is_found_again(rng):
    source = np.linalg.qr(rng.normal(size=(50, 4)))[0]
    turn, scales = rotation_matrix(rng, 4), np.array([0.5, 1, 2, 4])
    adapter = ScaledProcrustes(center=False, unit=False).fit(source, source @ turn * scales)
    np.testing.assert_allclose(adapter.matrix, turn * scales, atol=1e-5)


def test_a_dimension_that_nothing_shows_becomes_its_mean(rng):
    source, target = paired(rng, source=3, target=3)
    target[:, 1] = 7
    mapped = ScaledProcrustes(unit=False).fit(source, target).transform(source)
    np.testing.assert_allclose(mapped[:, 1], 7, rtol=1e-6)
