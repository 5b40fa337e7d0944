"""Copies of an item are seen, and neighbours that are only alike are not taken for copies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.advise.repeats import refuse_repeated, repeated
from segue.errors import InputError
from tests.adapters.spaces import to_unit


def by_loop(old, new):
    return [
        any(
            np.linalg.norm(old[i] - old[j]) < 3e-7 and np.linalg.norm(new[i] - new[j]) < 3e-7
            for j in range(len(old))
            if j != i
        )
        for i in range(len(old))
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=60), st.integers(0, 9))
def test_exact_copies_are_those_of_a_loop(rows, seed):
    rng = np.random.default_rng(seed)
    old, new = to_unit(rng.normal(size=(41, 8)))[rows], to_unit(rng.normal(size=(41, 6)))[rows]
    assert repeated(old, new).tolist() == by_loop(old, new)


def test_a_copy_is_the_same_in_both_models():
    rng = np.random.default_rng(0)
    old, new = to_unit(rng.normal(size=(50, 8))), to_unit(rng.normal(size=(50, 8)))
    old[7] = old[3]
    assert not repeated(old, new).any()
    new[7] = new[3]
    assert np.flatnonzero(repeated(old, new)).tolist() == [3, 7]


def test_copies_of_another_batch_are_seen():
    rng = np.random.default_rng(0)
    old, new = to_unit(rng.normal(size=(300, 64))), to_unit(rng.normal(size=(300, 32)))
    twice = [np.vstack([rows, to_unit(rows.astype(np.float16).astype(np.float64))]) for rows in (old, new)]
    assert repeated(*twice).all()


@pytest.mark.parametrize("dimension", [2, 3])
def test_neighbours_in_few_dimensions_are_no_copies(dimension):
    rows = to_unit(np.random.default_rng(0).normal(size=(2000, dimension)))
    assert repeated(rows, rows[:, ::-1]).mean() < 0.05
    assert refuse_repeated(rows, rows[:, ::-1], ("old", "new")) < 100


def test_up_to_a_tenth_are_counted_and_more_refused():
    rng = np.random.default_rng(0)
    old, new = to_unit(rng.normal(size=(100, 8))), to_unit(rng.normal(size=(100, 8)))
    few, many = np.r_[0:95, 0:5], np.r_[0:94, 0:6]
    assert refuse_repeated(old[few], new[few], ("old", "new")) == 10
    with pytest.raises(InputError, match=r"^12 of the 100 rows of old are there more than once, and in new as well"):
        refuse_repeated(old[many], new[many], ("old", "new"))
