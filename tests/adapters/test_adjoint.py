import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.adapters import Adjoint, DirectionAdjoint, Procrustes, Ridge
from segue.errors import InputError
from tests.adapters.spaces import paired, to_unit


def test_scores_by_hand():
    # new = (6 b, 2 a) for old = (a, b): a new query (1, 1) scores 6 b + 2 a
    old = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    new = [[0.0, 2.0], [0.0, -2.0], [6.0, 0.0], [-6.0, 0.0]]
    adapter = Adjoint(strength=0, unit=False).fit(new, old)
    np.testing.assert_allclose(adapter.transform([[1.0, 1.0]]), [[2, 6]], rtol=1e-6)


@given(seed=st.integers(0, 999), strength=st.floats(0, 10), center=st.booleans())
def test_differences_of_scores_are_those_of_the_mapped_gallery(seed, strength, center):
    rng = np.random.default_rng(seed)
    new, old = paired(rng, source=6, target=4, noise=1)
    queries, gallery = rng.normal(size=(7, 6)), rng.normal(size=(9, 4))
    scores = Adjoint(strength=strength, center=center, unit=False).fit(new, old).transform(queries) @ gallery.T
    mapped = Ridge(strength=strength, unit=False).fit(old, new).transform(gallery)
    expected = (queries - (new.mean(axis=0) if center else 0)) @ mapped.T
    around = scores - scores.mean(axis=1, keepdims=True), expected - expected.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(*around, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_by_cosine_it_ranks_the_gallery_as_the_mapped_one_by_inner_product(rng):
    new, old = paired(rng, source=6, target=4, noise=1)
    queries, gallery = rng.normal(size=(20, 6)), to_unit(rng.normal(size=(50, 4)))
    forward = Ridge(strength=0.1).fit(old, new)
    predicted = (gallery - forward.source_mean) @ forward.matrix
    found = np.argsort(-Adjoint(center=False).fit(new, old).transform(queries) @ gallery.T, axis=1)
    np.testing.assert_array_equal(found, np.argsort(-to_unit(queries) @ predicted.T, axis=1))


def test_in_a_rotated_space_it_is_procrustes(rng):
    old = np.concatenate([np.eye(4), -np.eye(4)])
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    queries = rng.normal(size=(5, 4))
    expected = Procrustes(center=False).fit(old @ turn, old).transform(queries)
    for kind in (Adjoint, DirectionAdjoint):
        np.testing.assert_allclose(kind().fit(old @ turn, old).transform(queries), expected, atol=1e-5)


def lossy(rng, items):
    """New vectors of which the old model sees one part of some items more than of others: mapped lengths differ."""
    new = to_unit(rng.normal(size=(items, 8)))
    old = to_unit(new[:, :5] + 0.05 * rng.normal(size=(items, 5)))
    return new, old


def test_directions_come_nearer_to_the_mapped_gallerys_cosines_than_inner_products_do(rng):
    new, old = lossy(rng, 4000)
    queries, gallery = lossy(rng, 200)[0], lossy(rng, 500)[1]
    mapped = Ridge(strength=0.01).fit(old[:2000], new[:2000]).transform(gallery)
    wanted = queries @ mapped.T

    def agreement(kind):
        scores = kind(strength=0.01, center=False).fit(new[:2000], old[:2000]).transform(queries) @ gallery.T
        return np.mean([np.corrcoef(one, other)[0, 1] for one, other in zip(scores, wanted, strict=True)])

    assert agreement(DirectionAdjoint) >= agreement(Adjoint) > 0.9


@pytest.mark.parametrize("kind", [Adjoint, DirectionAdjoint])
def test_a_strength_that_makes_no_sense_is_refused(kind, rng):
    with pytest.raises(InputError) as error:
        kind(strength=-1).fit(*paired(rng))
    assert str(error.value) == "strength is -1; pass a finite number of 0 or more"
