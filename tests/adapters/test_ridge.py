import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge as SklearnRidge

from segue.adapters import Ridge, ridge_path
from segue.errors import InputError
from tests.adapters.spaces import paired, to_unit


def test_a_line_by_hand():
    # means 2 and 5, variance 8/3, covariance 16/3: slope 2 without a penalty, 1 with one as large as the variance
    source, target = [[0.0], [2.0], [4.0]], [[1.0], [5.0], [9.0]]
    for strength, slope in ((0, 2.0), (1, 1.0), (3, 0.5)):
        adapter = Ridge(strength=strength, unit=False).fit(source, target)
        assert adapter.matrix.tolist() == [[pytest.approx(slope)]]
        assert adapter.transform([[2.0], [3.0]]).tolist() == [[5.0], [pytest.approx(5 + slope)]]


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("strength", [0.001, 0.1, 10])
@pytest.mark.parametrize("pairs", [3, 60])
def test_it_agrees_with_scikit_learn(pairs, strength, unit, center, rng):
    source, target = paired(rng, pairs=pairs, source=6, target=4)
    one, other = (to_unit(source), to_unit(target)) if unit else (source.astype(float), target.astype(float))
    around = one - one.mean(axis=0) if center else one
    alpha = strength * np.square(around).sum() / 6
    expected = SklearnRidge(alpha=alpha, fit_intercept=center, solver="svd").fit(one, other).predict(one)
    mapped = Ridge(strength=strength, center=center, unit=unit).fit(source, target).transform(source)
    np.testing.assert_allclose(mapped, to_unit(expected) if unit else expected, rtol=1e-4, atol=1e-5)


@given(seed=st.integers(0, 999), pairs=st.integers(2, 30), source=st.integers(1, 8), target=st.integers(1, 8))
def test_without_a_penalty_it_is_least_squares_of_least_norm(seed, pairs, source, target):
    one, other = paired(np.random.default_rng(seed), pairs, source, target)
    adapter = Ridge(strength=0, center=False, unit=False).fit(one, other)
    solution = np.linalg.lstsq(one.astype(float), other.astype(float), rcond=1e-7)[0]
    np.testing.assert_allclose(adapter.matrix, solution, rtol=1e-3, atol=1e-3 * np.abs(solution).max())


@given(seed=st.integers(0, 999), scale=st.floats(1e-6, 1e6), copies=st.integers(1, 3))
def test_the_strength_means_the_same_whatever_the_scale_and_the_number_of_pairs(seed, scale, copies):
    one, other = paired(np.random.default_rng(seed))
    plain = Ridge(strength=0.5, unit=False).fit(one, other)
    scaled = Ridge(strength=0.5, unit=False).fit(
        np.tile(one * np.float32(scale), (copies, 1)), np.tile(other, (copies, 1))
    )
    np.testing.assert_allclose(scaled.matrix * scale, plain.matrix, rtol=1e-4, atol=1e-5)


def test_a_path_holds_the_same_maps_as_single_fits(rng):
    source, target = paired(rng)
    path = ridge_path(source, target, [0, 0.1, 3], center=False)
    for strength, adapter in zip([0, 0.1, 3], path, strict=True):
        single = Ridge(strength=strength, center=False).fit(source, target)
        assert repr(adapter) == repr(single)
        assert adapter.describe() == single.describe()
        np.testing.assert_array_equal(adapter.transform(source), single.transform(source))


def test_a_path_takes_strengths_one_by_one(rng):
    source, target = paired(rng)
    path = ridge_path(source, target, (strength for strength in [0.1, 3]))
    assert [ridge.strength for ridge in path] == [0.1, 3]
    for ridge in path:
        single = Ridge(strength=ridge.strength).fit(source, target)
        np.testing.assert_array_equal(ridge.transform(source), single.transform(source))


def test_a_path_decomposes_once(rng, monkeypatch):
    calls = []
    decompose = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda matrix: calls.append(1) or decompose(matrix))
    ridge_path(*paired(rng), [0.01, 0.1, 1, 10])
    assert len(calls) == 1


@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf"), "much", True, None])
def test_a_strength_that_makes_no_sense_is_refused(strength):
    with pytest.raises(InputError) as error:
        Ridge(strength=strength).fit(np.eye(2), np.eye(2))
    assert str(error.value) == f"strength is {strength!r}; pass a finite number of 0 or more"
    with pytest.raises(InputError, match=r"^strengths is "):
        ridge_path(np.eye(2), np.eye(2), [strength])


FAR_APART = {"source": np.eye(2) * 1e-25, "target": np.eye(2) * 1e15, "unit": False}
MISTAKES = {
    "source and target differ so much in scale that the map between them does not fit 32-bit numbers; divide one of "
    "them by a common number": {**FAR_APART, "strengths": [0.1]},
    "strengths is 0.1; pass several, such as [0.01, 0.1, 1], or fit a Ridge of one": {"strengths": 0.1},
    "strengths is empty; pass at least one number, such as [0.01, 0.1, 1]": {"strengths": iter(())},
    "strengths is -1; pass a finite number of 0 or more": {"strengths": iter([0.1, -1])},
    "source has 1 row of zeros, first at row 1; a zero vector has no direction: remove these rows, or pass unit=False "
    "where lengths count": {"source": [[1.0, 0.0], [0.0, 0.0]], "strengths": [0.1]},
    "unit is 'no'; pass True for directions or False where lengths count": {"strengths": [0.1], "unit": "no"},
}


@pytest.mark.parametrize("said", MISTAKES)
def test_a_mistake_with_a_path_is_told_in_a_sentence(said):
    with pytest.raises(InputError) as error:
        ridge_path(**{"source": np.eye(2), "target": np.eye(2), **MISTAKES[said]})
    assert str(error.value) == said


def test_a_path_refuses_the_scales_that_a_single_fit_refuses():
    with pytest.raises(InputError, match=r"^source and target differ so much in scale"):
        Ridge(unit=False).fit(FAR_APART["source"], FAR_APART["target"])
