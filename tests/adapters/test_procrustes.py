import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from segue.adapters import Procrustes
from segue.adapters.procrustes import rotation
from tests.adapters.spaces import paired, rotation_matrix, to_unit


def test_a_quarter_turn_by_hand():
    adapter = Procrustes(center=False).fit([[2.0, 0.0], [0.0, 3.0]], [[0.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(adapter.matrix, [[0, 1], [-1, 0]], atol=1e-7)
    np.testing.assert_allclose(adapter.transform([[3.0, 4.0]]), [[-0.8, 0.6]], atol=1e-7)


@pytest.mark.parametrize("center", [True, False])
def test_it_agrees_with_scipy(center, rng):
    source, target = paired(rng, source=5, target=5)
    one, other = to_unit(source), to_unit(target)
    if center:
        one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    expected = scipy.linalg.orthogonal_procrustes(one, other)[0]
    adapter = Procrustes(center=center).fit(source, target)
    np.testing.assert_allclose(adapter.matrix, expected, atol=1e-5)
    around = to_unit(source) - to_unit(source).mean(axis=0) if center else to_unit(source)
    moved = around @ expected + (to_unit(target).mean(axis=0) if center else 0)
    np.testing.assert_allclose(adapter.transform(source), to_unit(moved), atol=1e-5)


@given(seed=st.integers(0, 999), source=st.integers(1, 6), more=st.integers(0, 3))
def test_inner_products_stay_into_as_many_or_more_dimensions(seed, source, more):
    one, other = paired(np.random.default_rng(seed), 40, source, source + more, noise=1)
    mapped = Procrustes(center=False, unit=False).fit(one, other).transform(one)
    np.testing.assert_allclose(mapped @ mapped.T, one @ one.T, rtol=1e-3, atol=1e-3)


@given(seed=st.integers(0, 999), target=st.integers(1, 6))
def test_into_fewer_dimensions_it_projects(seed, target):
    adapter = Procrustes().fit(*paired(np.random.default_rng(seed), 40, 7, target, noise=1))
    np.testing.assert_allclose(adapter.matrix.T @ adapter.matrix, np.eye(target), atol=1e-5)


@given(seed=st.integers(0, 999))
def test_a_rotated_and_moved_space_is_found_again(seed):
    rng = np.random.default_rng(seed)
    source, unseen = rng.normal(size=(30, 4)), rng.normal(size=(5, 4))
    turn, move = rotation_matrix(rng, 4), rng.normal(size=4)
    adapter = Procrustes(unit=False).fit(source, source @ turn + move)
    np.testing.assert_allclose(adapter.transform(unseen), unseen @ turn + move, atol=1e-4)


def test_no_orthogonal_matrix_brings_the_pairs_closer(rng):
    source, target = paired(rng, source=3, target=3, noise=2)
    adapter = Procrustes(center=False, unit=False).fit(source, target)
    best = np.square(source @ adapter.matrix - target).sum()
    for _ in range(300):
        assert np.square(source @ rotation_matrix(rng, 3) - target).sum() > best


@pytest.mark.parametrize(("center", "rank"), [(True, 3), (False, 4)])
def test_directions_that_no_pair_shows_are_dropped_and_told(center, rank, rng):
    source = rng.normal(size=(4, 10))
    adapter = Procrustes(center=center, unit=False).fit(source, rng.normal(size=(4, 12)))
    assert adapter.rank == rank
    assert f"in the {rank} of 10 directions that the pairs show." in adapter.describe()
    around = source - source.mean(axis=0) if center else source
    unseen = scipy.linalg.null_space(around)
    np.testing.assert_allclose(unseen.T @ adapter.matrix, 0, atol=1e-6)


def test_a_full_rotation_says_nothing_of_directions(rng):
    told = Procrustes().fit(*paired(rng, source=4, target=4)).describe()
    assert told.startswith("Rotates the source's space onto the target's (orthogonal Procrustes). Fitted on 60 pairs,")


def test_the_rotation_of_a_rotation_is_itself(rng):
    turn = rotation_matrix(rng, 5)
    np.testing.assert_allclose(rotation(3 * turn), turn, atol=1e-12)
