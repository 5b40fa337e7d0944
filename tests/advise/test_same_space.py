"""The same model twice, however it was turned, scaled or stored."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.advise.same_space import cosines_differ_by, same_space
from tests.adapters.spaces import rotation_matrix, to_unit


def by_loop(old, new):
    pairs = [(i, j) for i in range(len(old)) for j in range(i)]
    one, other = ([float(rows[i] @ rows[j]) for i, j in pairs] for rows in (old, new))
    apart = math.sqrt(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) / len(pairs))
    mean = sum(one) / len(one)
    return apart / math.sqrt(sum((a - mean) ** 2 for a in one) / len(one))


def test_the_distance_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    old, new = to_unit(rng.normal(size=(15, 4))), to_unit(rng.normal(size=(15, 6)))
    assert cosines_differ_by(old, new) == pytest.approx(by_loop(old, new))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), more=st.integers(0, 5))
def test_turning_and_adding_dimensions_change_nothing(seed, more):
    rng = np.random.default_rng(seed)
    old = to_unit(rng.normal(size=(20, 4)))
    wider = np.hstack([old, np.zeros((20, more))])
    assert same_space(old, wider @ rotation_matrix(rng, 4 + more))


def test_few_bits_do_not_hide_the_same_model_and_a_little_training_is_seen():
    rng = np.random.default_rng(0)
    old = to_unit(rng.normal(size=(300, 64)) + 1)
    assert same_space(old, to_unit(old.astype(np.float16)))
    assert same_space(old, to_unit(np.round(127 * old / np.abs(old).max())))
    assert not same_space(old, to_unit(old + 0.01 * rng.normal(size=old.shape)))
    assert not same_space(old, to_unit(rng.normal(size=(300, 64))))


def test_items_at_right_angles_have_no_spread_to_divide_by():
    assert cosines_differ_by(np.eye(4), np.eye(4)) == 0.0
    assert not same_space(np.eye(4), to_unit(np.eye(4) + 0.1))
