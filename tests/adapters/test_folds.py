"""Folds: what belongs together stays together, whatever else is dealt."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segue.adapters.folds import belonging, folds_of, joined, same_rows


def test_rows_by_hand():
    rows = np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0], [-0.0, 0.0], [2.0, 1.0]])
    assert same_rows(rows).tolist() == [0, 1, 0, 1, 2]
    assert same_rows(rows.astype(int)).tolist() == [0, 1, 0, 1, 2]


@given(seed=st.integers(0, 10**6), count=st.integers(1, 30))
def test_same_rows_are_those_that_are_equal_one_by_one(seed, count):
    rows = np.random.default_rng(seed).integers(0, 2, size=(count, 3)).astype(np.float32)
    equal = (rows[:, None] == rows).all(axis=2)
    number = same_rows(rows)
    np.testing.assert_array_equal(number[:, None] == number, equal)
    assert sorted(set(number.tolist())) == list(range(number.max() + 1))


@given(seed=st.integers(0, 10**6), count=st.integers(1, 25))
def test_what_hangs_together_is_found_by_walking(seed, count):
    rng = np.random.default_rng(seed)
    one, other = (np.unique(rng.integers(0, 12, count), return_inverse=True)[1] for _ in range(2))
    found = joined(one, other)
    for start in range(count):
        reached = {start}
        while True:
            more = {row for row in range(count) for at in reached if one[row] == one[at] or other[row] == other[at]}
            if more == reached:
                break
            reached = more
        assert set(np.flatnonzero(found == found[start]).tolist()) == reached


@given(seed=st.integers(0, 10**6), count=st.integers(6, 60), groups=st.integers(3, 20), folds=st.integers(2, 3))
def test_every_row_is_dealt_once_and_groups_are_whole(seed, count, groups, folds):
    names = np.random.default_rng(seed).integers(0, groups, count)
    group = np.unique(np.append(names, [0, 1, 2]), return_inverse=True)[1]
    dealt = folds_of(len(group), folds, seed, group)
    assert sorted(np.concatenate(dealt).tolist()) == list(range(len(group)))
    assert len(dealt) == folds
    for fold in dealt:
        assert set(group[fold]).isdisjoint(group[np.setdiff1d(np.arange(len(group)), fold)])
    # the largest fold is larger than the smallest by no more than a group
    assert max(map(len, dealt)) - min(map(len, dealt)) <= np.bincount(group).max()


def test_pairs_on_their_own_are_dealt_evenly():
    assert [len(fold) for fold in folds_of(11, 3, 0)] == [4, 4, 3]
    assert [fold.tolist() for fold in folds_of(11, 3, 1)] != [fold.tolist() for fold in folds_of(11, 3, 0)]


def test_copies_are_the_same_in_everything():
    source = np.array([[1.0], [1.0], [1.0], [2.0], [1.0]])
    target = np.array([[5.0], [5.0], [6.0], [5.0], [5.0]])
    found = belonging(source, target, np.array(["a", "a", "a", "a", "b"]), None)
    assert found.sets.tolist() == [0, 0, 0, 1, 0]
    assert found.copies.tolist() == [0, 0, 1, 2, 3]
    assert (found.repeated, found.parts) == (3, 2)
    alone = belonging(source[2:4], target[2:4], None, None)
    assert (alone.sets, alone.copies, alone.repeated, alone.parts) == (None, None, 0, None)
