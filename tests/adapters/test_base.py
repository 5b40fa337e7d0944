import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from segue.adapters import (
    Adjoint,
    Ensemble,
    KernelAdjoint,
    LocalMixture,
    LowRankAffine,
    Procrustes,
    Ridge,
    Slerp,
)
from segue.adapters import base as base_module
from segue.errors import InputError
from segue.retrieval.vectors import SLAB
from tests.adapters.kinds import CLOSED_FORMS, each
from tests.adapters.spaces import paired, to_unit


@each
def test_vectors_come_out_finite_of_length_one_and_in_32_bits(adapter, rng):
    source, target = paired(rng)
    mapped = adapter.unfitted().fit(source, target).transform(source)
    assert mapped.shape == target.shape
    assert mapped.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(mapped, axis=1), 1, rtol=1e-6)


@each
def test_a_way_out_of_zero_rows_is_told_where_there_is_one(adapter, rng):
    source, target = paired(rng)
    zeros = np.vstack([source[:-1], np.zeros((1, source.shape[1]))])
    told = "source has 1 row of zeros, first at row 59; a zero vector has no direction: remove these rows"
    lengths = "unit" in adapter.get_params()
    if lengths:
        told += ", or fit with unit=False where lengths count"
        assert adapter.unfitted().set_params(unit=False).fit(zeros, target).transform(zeros).shape == target.shape
    with pytest.raises(InputError) as error:
        adapter.unfitted().fit(zeros, target)
    assert str(error.value) == told
    with pytest.raises(InputError) as error:
        adapter.unfitted().fit(source, target).transform(zeros)
    assert str(error.value) == told


@each
def test_lengths_of_the_input_do_not_matter_where_vectors_are_of_length_one(adapter, rng):
    source, target = paired(rng)
    plain = adapter.unfitted().fit(source, target).transform(source)
    stretched = adapter.unfitted().fit(source * 8, target * 0.5).transform(source * np.float32(1e-20))
    np.testing.assert_allclose(stretched, plain, rtol=1e-4, atol=1e-5)


@each
def test_both_directions_and_other_dimensions_are_the_same_call(adapter, rng):
    new, old = paired(rng, source=7, target=3)
    assert adapter.unfitted().fit(new, old).transform(new).shape == (60, 3)
    assert adapter.unfitted().fit(old, new).transform(old).shape == (60, 7)


@pytest.mark.parametrize("adapter", [a for a in CLOSED_FORMS if not isinstance(a, LocalMixture)], ids=repr)
@given(seed=st.integers(0, 99))
def test_the_order_of_the_pairs_does_not_matter(adapter, seed):
    rng = np.random.default_rng(seed)
    source, target = paired(rng)
    order = rng.permutation(len(source))
    one = adapter.unfitted().fit(source, target).transform(source)
    other = adapter.unfitted().fit(source[order], target[order]).transform(source)
    np.testing.assert_allclose(one, other, atol=2e-4)


@each
def test_clones_of_scikit_learn_have_the_same_parameters_and_have_learned_nothing(adapter, rng):
    fitted = adapter.unfitted().fit(*paired(rng))
    cloned = clone(fitted)
    assert repr(cloned) == repr(fitted)
    assert fitted.fitted
    assert not cloned.fitted


@each
def test_fitting_again_forgets_the_former_pairs(adapter, rng):
    first, second = paired(rng), paired(rng, pairs=40, source=6, target=3)
    again = adapter.unfitted().fit(*first).fit(*second)
    fresh = adapter.unfitted().fit(*second)
    assert (again.pairs, again.source_dimension, again.target_dimension) == (40, 6, 3)
    np.testing.assert_array_equal(again.transform(second[0]), fresh.transform(second[0]))


@pytest.mark.parametrize(
    "adapter", [a for a in CLOSED_FORMS if not isinstance(a, (Ensemble, KernelAdjoint, Slerp))], ids=repr
)
def test_what_is_no_unit_vector_keeps_its_scale(adapter, rng):
    source, target = paired(rng)
    by_hundred = adapter.unfitted().set_params(unit=False).fit(source, 100 * target).transform(source)
    by_one = adapter.unfitted().set_params(unit=False).fit(source, target).transform(source)
    factor = 1 / 100 if isinstance(adapter, Adjoint) else 1 if isinstance(adapter, Procrustes) else 100
    around = by_one - by_one.mean(axis=0), by_hundred - by_hundred.mean(axis=0)
    np.testing.assert_allclose(around[1], factor * around[0], rtol=1e-3, atol=1e-4)


def test_a_gallery_is_mapped_by_blocks_into_a_memory_map(rng, tmp_path, monkeypatch):
    monkeypatch.setattr(base_module, "SLAB", 1 << 12)
    source, target = paired(rng, source=32, target=16)
    adapter = Ridge().fit(source, target)
    gallery = np.memmap(tmp_path / "old", dtype=np.float16, mode="w+", shape=(50_000, 32))
    gallery[:] = rng.normal(size=gallery.shape)
    out = np.memmap(tmp_path / "new", dtype=np.float32, mode="w+", shape=(50_000, 16))
    tracemalloc.start()
    returned = adapter.transform(gallery, out=out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert returned is out
    # float32 of the source alone would be 6.4 MB
    assert peak < 4_000_000
    np.testing.assert_allclose(out, adapter.transform(np.asarray(gallery, dtype=np.float64)), atol=1e-6)


def test_a_gallery_may_be_mapped_in_place(rng):
    source, target = paired(rng, source=4, target=4)
    adapter = Ridge().fit(source, target)
    expected = adapter.transform(source)
    assert adapter.transform(source, out=source) is source
    np.testing.assert_array_equal(source, expected)


def test_a_gallery_of_several_blocks_is_mapped_as_its_rows_are(rng):
    source, target = paired(rng, source=3, target=1024)
    adapter = Ridge().fit(source, target)
    gallery = rng.normal(size=(2 * (SLAB // 1024) + 5, 3))
    mapped = adapter.transform(gallery)
    picked = [0, SLAB // 1024 - 1, SLAB // 1024, len(gallery) - 1]
    for row in picked:
        np.testing.assert_allclose(mapped[row], adapter.transform(gallery[[row]])[0], atol=1e-6)


def test_torch_tensors_lists_and_integers_are_read(rng):
    torch = pytest.importorskip("torch")
    source, target = (np.round(10 * part).astype(int) for part in paired(rng))
    expected = Ridge().fit(source.astype(float), target.astype(float)).transform(source.astype(float))
    tensor = torch.tensor(source, dtype=torch.float32, requires_grad=True)
    np.testing.assert_array_equal(Ridge().fit(tensor, target.tolist()).transform(source.astype(np.int8)), expected)


def test_it_says_what_it_is_and_what_it_was_fitted_on(rng):
    adapter = Ridge(strength=0.5)
    assert repr(adapter) == "Ridge(strength=0.5, center=True, unit=True)"
    words = "Predicts the target's vector by ridge regression of strength 0.5."
    assert adapter.describe() == f"{words} Not fitted yet."
    adapter.fit(*paired(rng, pairs=1200))
    assert adapter.describe() == f"{words} Fitted on 1,200 pairs, from 5 dimensions to 4."


@each
def test_every_kind_describes_itself_before_and_after_the_fit(adapter, rng):
    fresh = adapter.unfitted()
    assert fresh.describe().endswith(" Not fitted yet.")
    assert fresh.fit(*paired(rng)).describe().endswith(" Fitted on 60 pairs, from 5 dimensions to 4.")


GOOD = np.eye(3) + 0.1


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        (
            GOOD,
            GOOD[:2],
            "source has 3 rows and target has 2; pass the same items in the same order, row i of both being item i",
        ),
        (
            GOOD[:1],
            GOOD[:1],
            "source and target hold a single pair; an adapter learns from at least two, and from some hundreds to be "
            "of use",
        ),
        (GOOD[0], GOOD, "source has shape (3,); pass one vector per row, shape (n, d)"),
        (GOOD, None, "target is None; pass one vector per row, shape (n, d)"),
        (GOOD, np.empty((0, 3)), "target is empty (shape (0, 3)); pass at least one vector"),
        (GOOD > 0, GOOD, "source holds bool values; pass floating-point numbers or integers"),
        (
            np.where(np.eye(3) > 0, np.nan, 1),
            GOOD,
            "source has 3 rows with NaN or infinite numbers, first at row 0; remove these rows or embed them again",
        ),
        (
            GOOD,
            [[1.0], [np.inf], [2.0]],
            "target has 1 row with NaN or infinite numbers, first at row 1; remove these rows or embed them again",
        ),
        (
            GOOD,
            [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]],
            "target has 1 row of zeros, first at row 2; a zero vector has no direction: remove these rows, or fit with "
            "unit=False where lengths count",
        ),
        (
            [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]],
            GOOD,
            "source holds the same vector in all 3 rows; pass the vectors of different items",
        ),
        (
            GOOD,
            np.full((3, 2), 0.3),
            "target holds the same vector in all 3 rows; pass the vectors of different items",
        ),
    ],
)
def test_pairs_that_teach_nothing_are_refused_in_a_sentence(source, target, sentence):
    with pytest.raises(InputError) as error:
        Ridge().fit(source, target)
    assert str(error.value) == sentence


def test_a_zero_vector_is_a_vector_where_lengths_count(rng):
    source, target = paired(rng)
    source[3] = 0
    assert np.isfinite(Ridge(unit=False).fit(source, target).transform(source)).all()


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (
            lambda adapter: Ridge().transform(GOOD),
            "this Ridge is not fitted; call fit(source, target) first, or read a fitted one with "
            "from_pretrained(folder)",
        ),
        (
            lambda adapter: adapter.transform(GOOD[:, :1]),
            "source has 1 dimension, but this Ridge was fitted on vectors of 3; pass vectors of the model it was "
            "fitted on",
        ),
        (
            lambda adapter: adapter.transform(GOOD * np.nan),
            "source has 3 rows with NaN or infinite numbers, first at row 0; remove these rows or embed them again",
        ),
        (
            lambda adapter: adapter.transform(GOOD, out=np.empty((3, 3), dtype=int)),
            "out is (3, 3) int64; pass a writable array of shape (3, 2) and a floating-point type",
        ),
        (
            lambda adapter: adapter.transform(GOOD, out=[[0.0, 0.0]]),
            "out is list; pass a writable array of shape (3, 2) and a floating-point type",
        ),
    ],
)
def test_what_can_not_be_mapped_is_refused_in_a_sentence(ask, sentence, rng):
    adapter = Ridge().fit(*paired(rng, source=3, target=2))
    with pytest.raises(InputError) as error:
        ask(adapter)
    assert str(error.value) == sentence


def test_a_row_that_is_mapped_to_nothing_is_named(monkeypatch):
    monkeypatch.setattr(base_module, "SLAB", 4)
    # the second dimension says nothing about the target
    adapter = LowRankAffine(rank=1, strength=0, center=False)
    adapter.fit([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [[1.0], [-1.0], [1.0], [1.0]])
    assert adapter.inward[1] == 0
    with pytest.raises(InputError) as error:
        adapter.transform([[1.0, 0.0], [1.0, 1.0], [3.0, 1.0], [0.0, 1.0]])
    assert str(error.value) == (
        "source row 3 is mapped to a zero vector by LowRankAffine, which has no direction; fit on more pairs, or embed "
        "this item with the target's model"
    )


def test_a_row_beyond_the_scale_of_the_pairs_is_named(rng):
    adapter = Ridge(unit=False).fit(*(1e-15 * part if i == 0 else 1e17 * part for i, part in enumerate(paired(rng))))
    with pytest.raises(InputError) as error:
        adapter.transform([[0] * 5, [1e17] * 5])
    assert str(error.value) == (
        "source row 1 is mapped to numbers beyond what float32 can hold; pass vectors of the scale that this Ridge was "
        "fitted on"
    )


def test_a_map_that_32_bits_can_not_hold_is_refused_and_the_adapter_is_not_fitted(rng):
    source, target = paired(rng)
    adapter = Ridge(unit=False).fit(source, target)
    with pytest.raises(InputError) as error:
        adapter.fit(source * np.float32(1e-25), target * np.float32(1e16))
    assert str(error.value) == (
        "source and target differ so much in scale that the map between them does not fit 32-bit numbers; divide one "
        "of them by a common number"
    )
    assert not adapter.fitted


def test_the_same_values_come_out_in_length_one_whatever_the_scale(rng):
    source, target = paired(rng)
    mapped = Ridge(center=False).fit(source, target).transform(source)
    matrix = np.linalg.solve(
        to_unit(source).T @ to_unit(source) + 0.1 * 60 / 5 * np.eye(5), to_unit(source).T @ to_unit(target)
    )
    np.testing.assert_allclose(mapped, to_unit(to_unit(source) @ matrix), atol=1e-5)


@each
def test_what_is_learned_shares_no_memory_with_what_was_passed(adapter, rng):
    fitted = adapter.unfitted()
    if "unit" in fitted.get_params():
        fitted.set_params(unit=False)
    source, target = (rows.astype(np.float32) for rows in paired(rng))
    fitted.fit(source, target)
    for array in fitted._state().values():
        assert not np.shares_memory(array, source)
        assert not np.shares_memory(array, target)


@each
def test_a_fit_that_fails_leaves_nothing_fitted(adapter, rng):
    source, target = paired(rng)
    fitted = adapter.unfitted().fit(source, target)
    with pytest.raises(InputError):
        fitted.fit(source * np.nan, target)
    assert not fitted.fitted
