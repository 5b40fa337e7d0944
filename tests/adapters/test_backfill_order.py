import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.adapters import Procrustes, Ridge
from segue.adapters.backfill_order import (
    by_distance_to_class_mean,
    by_expected_error,
    by_isolation,
    by_query_traffic,
    by_uncertainty,
    largest_first,
)
from segue.adapters.expected_error import NEAREST, expected_errors
from segue.adapters.fct import FCT
from segue.retrieval import search
from tests.adapters.bent import refused
from tests.adapters.spaces import paired, to_unit


def half_lost(rng, items=600, dimension=3):
    old = rng.normal(size=(items, dimension))
    lost = old[:, 0] > 0
    return old, old + lost[:, None] * rng.normal(size=old.shape), lost


@given(values=st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_every_row_comes_once_larger_ones_first_and_ties_as_they_stand(values):
    assert largest_first(values).tolist() == sorted(range(len(values)), key=lambda row: (-values[row], row))


class Doubtful:
    def uncertainty(self, source, *, side=None):
        return np.asarray(source)[:, 0] if side is None else np.asarray(side)[:, 0]


def test_the_least_certain_come_first():
    gallery = [[0.5], [0.9], [0.5], [0.1]]
    assert by_uncertainty(Doubtful(), gallery).tolist() == [1, 0, 2, 3]
    assert by_uncertainty(Doubtful(), gallery, side=[[0], [1], [2], [3]]).tolist() == [3, 2, 1, 0]


def test_the_farthest_from_their_class_come_first_by_hand():
    # means are (2, 0) and (0, 8): squared distances 4, 4, 0, 1, 1
    mapped = [[0.0, 0.0], [4.0, 0.0], [2.0, 0.0], [0.0, 7.0], [0.0, 9.0]]
    assert by_distance_to_class_mean(mapped, [7, 7, 7, 3, 3], unit=False).tolist() == [0, 1, 3, 4, 2]
    assert by_distance_to_class_mean(mapped, list("aaabb"), unit=False).tolist() == [0, 1, 3, 4, 2]


@given(seed=st.integers(0, 99))
def test_distances_to_class_means_against_loops(seed):
    rng = np.random.default_rng(seed)
    mapped, labels = rng.normal(size=(20, 3)), rng.integers(0, 4, 20)
    rows = to_unit(mapped.astype(np.float32)).astype(np.float32).astype(float)
    far = [np.linalg.norm(row - rows[labels == label].mean(axis=0)) for row, label in zip(rows, labels, strict=True)]
    order = by_distance_to_class_mean(mapped, labels)
    assert sorted(order.tolist()) == list(range(20))
    assert (np.diff(np.array(far)[order]) <= 1e-6).all()


@given(seed=st.integers(0, 99), neighbours=st.integers(1, 5), unit=st.booleans())
def test_the_most_isolated_come_first_against_loops(seed, neighbours, unit):
    mapped = np.random.default_rng(seed).normal(size=(15, 3))
    rows = to_unit(mapped) if unit else mapped
    apart = np.array([[1 - a @ b if unit else np.linalg.norm(a - b) for b in rows] for a in rows])
    far = [np.sort(np.delete(apart[row], row))[:neighbours].mean() for row in range(15)]
    order = by_isolation(mapped, neighbours=neighbours, unit=unit)
    assert sorted(order.tolist()) == list(range(15))
    assert (np.diff(np.array(far)[order]) <= 1e-5).all()


def test_copies_of_each_other_are_not_isolated():
    assert by_isolation([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], neighbours=1).tolist() == [1, 0, 2]


def test_expected_errors_are_a_regression_on_three_signs(rng):
    old, new, _ = half_lost(rng, 80)
    gallery = rng.normal(size=(15, 3))
    found = expected_errors(Ridge(), old, new, gallery, neighbours=12, folds=4, seed=3)
    one, other = (to_unit(part).astype(np.float32) for part in (old, new))
    fold = np.random.default_rng(3).permutation(80) % 4
    errors, lengths = np.empty(80), np.empty(80)
    for row in range(80):
        fitted = Ridge().fit(one[fold != fold[row]], other[fold != fold[row]])
        errors[row] = np.square(fitted.transform(one[[row]])[0] - other[row].astype(float)).sum()
        lengths[row] = np.linalg.norm((one[row] - fitted.source_mean) @ fitted.matrix + fitted.target_mean)
    whole = Ridge().fit(one, other)

    def signs(row, length, but=None):
        scores = one.astype(float) @ row
        near = [place for place in np.argsort(-scores) if place != but]
        return [1, scores[near[:NEAREST]].mean(), errors[near[:12]].mean(), length]

    known = np.array([signs(one[row], lengths[row], but=row) for row in range(80)])
    slopes = np.linalg.lstsq(known, errors, rcond=None)[0]
    items = to_unit(gallery)
    mapped = (items - whole.source_mean) @ whole.matrix + whole.target_mean
    expected = [
        max(0.0, np.dot(signs(item, np.linalg.norm(to)), slopes)) for item, to in zip(items, mapped, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("adapter", [Ridge(unit=False), Procrustes(unit=False), Ridge(), Procrustes()], ids=repr)
def test_items_that_are_mapped_badly_come_first(adapter, rng):
    old, new, lost = half_lost(rng, 900)
    order = by_expected_error(adapter, old[:500], new[:500], old[500:])
    np.testing.assert_array_equal(np.sort(order), np.arange(400))
    # of the items of which all is lost far more are in the first half than in the second
    assert lost[500:][order[:200]].mean() > 0.8
    assert lost[500:][order[200:]].mean() < 0.2
    assert not adapter.fitted


def test_expected_errors_come_near_to_the_errors(rng):
    old, new, _ = half_lost(rng, 900)
    expected = expected_errors(Ridge(unit=False), old[:500], new[:500], old[500:])
    fitted = Ridge(unit=False).fit(old[:500], new[:500])
    errors = np.square(fitted.transform(old[500:]) - new[500:]).sum(axis=1)
    assert np.corrcoef(expected, errors)[0, 1] > 0.4
    assert expected.mean() == pytest.approx(errors.mean(), rel=0.2)


def test_expected_errors_repeat(rng):
    pairs, gallery = paired(rng), paired(rng)[0]
    one, same, other = (expected_errors(Ridge(), *pairs, gallery, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0


def test_traffic_by_hand_as_counts_and_as_hits():
    # 1.5, 2.5, 0.5 and 1.5 times 0.2, 0.1, 0.4 and 0.2
    errors = [0.2, 0.1, 0.4, 0.2]
    assert by_query_traffic([1, 2, 0, 1], errors).tolist() == [0, 3, 1, 2]
    hits = search([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 1.0], [-1.0, -1.0], [0.0, 1.0]], k=2)
    assert by_query_traffic(hits, errors).tolist() == [0, 3, 1, 2]


def test_hits_that_are_missing_count_for_nothing():
    hits = search([[1.0]], [[1.0], [2.0]], k=5)
    assert by_query_traffic(hits, [0.1, 0.1]).tolist() == [0, 1]


def test_mistakes_are_named(rng):
    old, new = paired(rng)
    assert refused(lambda: by_uncertainty(Ridge(), old)) == (
        "Ridge does not say how uncertain it is; pass a FastFill, or order by by_expected_error()"
    )
    assert refused(lambda: by_distance_to_class_mean(old, [0])) == (
        "mapped has 60 rows and labels has 1; pass one class per row"
    )
    assert refused(lambda: by_isolation(old[:10])) == (
        "neighbours is 10; pass a whole number from 1 to 9, one less than there are rows in mapped"
    )
    assert refused(lambda: by_query_traffic([1, 2], [0.1])) == (
        "traffic has 2 items and errors has 1; pass one number per gallery item in both"
    )
    assert refused(lambda: by_query_traffic([1, -2], [0.1, 0.1])) == (
        "traffic has 1 value below zero, NaN or infinite, first at position 1 (-2); pass finite numbers of 0 or more"
    )
    assert refused(lambda: by_query_traffic([1, 2], [0.1, np.nan])) == (
        "errors has 1 value below zero, NaN or infinite, first at position 1 (nan); pass finite numbers of 0 or more"
    )
    assert refused(lambda: by_query_traffic([[1, 2]], [0.1, 0.2])) == (
        "traffic has shape (1, 2) and type int64; pass one number per gallery item"
    )
    hits = search([[1.0]], [[1.0], [2.0]], k=2)
    assert refused(lambda: by_query_traffic(hits, [0.1])) == (
        "traffic found row 1, but errors has 1 item; pass the hits of a search in the same gallery"
    )
    assert refused(lambda: by_expected_error("ridge", old, new, old)) == (
        "adapter is a str; pass an adapter such as Ridge()"
    )
    assert refused(lambda: by_expected_error(Ridge(), old, new, new)) == (
        "source has 5 dimensions and gallery has 4; embed both with models of one space, or map one of them with an "
        "adapter first"
    )
    assert refused(lambda: by_expected_error(Ridge(), old[:20], new[:20], old)) == (
        "source and target hold 20 pairs, and 5 folds and 30 neighbours need at least 32; pass more pairs, or fewer "
        "folds and neighbours"
    )
    assert refused(lambda: by_expected_error(Ridge(), old, new, old, folds=1)) == (
        "folds is 1; pass a whole number from 2 on"
    )
    adapter = FCT(width=4, epochs=1).fit(old, new, side=new)
    assert refused(lambda: by_expected_error(adapter, old, new, old)) == (
        "this FCT was fitted with side information, which the folds would do without; order by by_uncertainty() of a "
        "FastFill, or pass an adapter that maps vectors alone"
    )
