"""What a map is chosen on: twins in the gallery are found, neighbours are not taken for them."""

import numpy as np
import pytest

from segue.adapters.calibration import refuse_twins
from segue.errors import InputError

NAMES = ("old", "gallery")


def said(queries, gallery):
    with pytest.raises(InputError) as caught:
        refuse_twins(queries, gallery, NAMES)
    return str(caught.value)


def drawn(dimension, count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("dimension", "count"), [(2, 300), (2, 30_000), (3, 300_000), (8, 3000)])
def test_other_items_are_no_twins_however_near_they_are(dimension, count, seed):
    vectors = drawn(dimension, 200 + count, seed)
    refuse_twins(vectors[:200], vectors[200:], NAMES)


@pytest.mark.parametrize(("dimension", "count"), [(2, 300), (2, 3000), (3, 3000), (8, 3000), (64, 300)])
def test_twins_are_found_among_such_neighbours(dimension, count):
    queries, gallery = drawn(dimension, 200), drawn(dimension, count, seed=1)
    gallery[:21] = 3 * queries[50:71]
    found = said(queries, gallery)
    assert found.endswith(
        " of the 200 vectors of old stand in gallery as well, where each would find itself; leave them out of gallery"
    )
    assert 21 <= int(found.split()[0]) <= 21 + 10  # in two dimensions, a neighbour in fifty is taken for a twin
    refuse_twins(queries, gallery[15:], NAMES)  # a few items stand twice in any collection


@pytest.mark.parametrize("copies", [1, 3, 20])
def test_twins_are_found_however_often_they_are_stored(copies):
    queries = drawn(16, 40)
    gallery = np.vstack([np.repeat(queries, copies, axis=0), drawn(16, 500, seed=1)])
    assert said(queries, gallery).startswith("40 of the 40 vectors of old stand in gallery as well")


def test_twins_in_16_bits_are_found():
    queries = drawn(32, 100)
    gallery = np.vstack([queries.astype(np.float16), drawn(32, 500, seed=1)])
    assert said(queries, gallery).startswith("100 of the 100 vectors of old stand in gallery as well")
    assert said(queries, queries.astype(np.float16)[:50]).startswith("50 of the 100 vectors")


def test_a_gallery_of_one_or_two_items_is_searched_too():
    refuse_twins(drawn(4, 20), drawn(4, 2, seed=1), NAMES)
    assert said(np.eye(2), [[2.0, 0.0], [3.0, 4.0]] * np.ones((2, 2))).startswith("1 of the 2 vectors of old")
    assert said(np.eye(2), np.eye(2)[:1]).startswith("1 of the 2 vectors of old")
