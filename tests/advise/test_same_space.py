"""The same model twice, however it was turned, scaled or stored."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.advise.same_space import cosines_differ_by, nearest_differ_by, same_space
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


def nearest_by_loop(old, new, most):
    found = []
    for item in range(len(old)):
        others = [row for row in range(len(old)) if row != item]
        one, other = ({row: float(rows[item] @ rows[row]) for row in others} for rows in (old, new))
        near = [sorted(others, key=lambda row, of=of: -of[row])[:most] for of in (one, other)]
        apart = [(one[row] - other[row]) ** 2 for rows in near for row in rows]
        gaps = np.std([one[row] for row in near[0]])
        found.append(math.sqrt(sum(apart) / len(apart)) / gaps)
    return found


def test_the_distance_of_the_nearest_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    old, new = to_unit(rng.normal(size=(15, 4))), to_unit(rng.normal(size=(15, 6)))
    assert nearest_differ_by(old, new) == pytest.approx(nearest_by_loop(old, new, 10))


@pytest.mark.parametrize("scale", [0.08, 0.02])
def test_what_only_the_nearest_tell_is_seen(scale):
    """Ten far apart clusters are the same in both models; within them, only the new one knows what is alike."""
    rng = np.random.default_rng(0)
    labels = np.arange(400) // 4
    cluster, centres, fine = rng.integers(0, 10, 100)[labels], rng.normal(size=(10, 32)), rng.normal(size=(100, 32))
    old = to_unit(np.hstack([centres[cluster], scale * rng.normal(size=(400, 32))]))
    new = to_unit(np.hstack([centres[cluster], scale * (fine[labels] + 0.3 * rng.normal(size=(400, 32)))]))
    assert cosines_differ_by(old, new) < 0.01
    assert not same_space(old, new)
    assert same_space(old, to_unit(old.astype(np.float16)))


def test_items_that_are_there_twice_have_no_gaps_to_divide_by():
    rng = np.random.default_rng(0)
    old = np.repeat(to_unit(rng.normal(size=(20, 6))), 12, axis=0).astype(np.float32)
    assert same_space(old, (old @ rotation_matrix(rng, 6)).astype(np.float32))
