import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import geometric_slerp

from segue.adapters import Procrustes, Ridge, Slerp, slerp
from segue.adapters import spherical as spherical_module
from segue.errors import InputError
from tests.adapters.spaces import paired, to_unit


def refused(ask):
    with pytest.raises(InputError) as error:
        ask()
    return str(error.value)


def test_a_third_of_a_right_angle_by_hand():
    between = slerp([[5.0, 0.0]], [[0.0, 0.1]], 1 / 3)
    np.testing.assert_allclose(between, [[np.sqrt(3) / 2, 0.5]], rtol=1e-6)
    assert between.dtype == np.float32


@pytest.mark.parametrize("amount", [0, 0.25, 0.5, 0.9, 1])
def test_it_agrees_with_scipy(amount, rng):
    old, mapped = to_unit(rng.normal(size=(20, 6))), to_unit(rng.normal(size=(20, 6)))
    expected = [geometric_slerp(one, other, amount) for one, other in zip(old, mapped, strict=True)]
    np.testing.assert_allclose(slerp(old, mapped, amount), expected, atol=1e-6)


ROWS = hnp.arrays(np.float64, (4, 3), elements=st.floats(0.1, 10))


@given(old=ROWS, mapped=ROWS, amount=st.floats(0, 1))
def test_it_goes_its_share_of_the_angle_and_both_ends_are_reached(old, mapped, amount):
    np.testing.assert_array_equal(slerp(old, mapped, 0), to_unit(old).astype(np.float32))
    np.testing.assert_array_equal(slerp(old, mapped, 1), to_unit(mapped).astype(np.float32))
    between = slerp(old, mapped, amount).astype(float)
    np.testing.assert_allclose(np.linalg.norm(between, axis=1), 1, rtol=1e-6)
    whole = np.linalg.norm(to_unit(old) - to_unit(mapped), axis=1)
    begun = np.linalg.norm(to_unit(old) - between, axis=1)
    np.testing.assert_allclose(np.arcsin(begun / 2), amount * np.arcsin(whole / 2), atol=1e-5)


@pytest.mark.parametrize("apart", [0, 1e-9, 1e-7, 1e-5])
def test_vectors_that_hardly_differ_are_no_trouble(apart):
    between = slerp([[1.0, 0.0]], [[1.0, apart]], 0.5)
    np.testing.assert_allclose(between, [[1, apart / 2]], atol=1e-9)


def test_rows_of_several_blocks_are_each_their_own(rng, monkeypatch):
    old, mapped = rng.normal(size=(50, 4)), rng.normal(size=(50, 4))
    at_once = slerp(old, mapped, 0.3)
    monkeypatch.setattr(spherical_module, "SLAB", 12)
    np.testing.assert_array_equal(slerp(old, mapped, 0.3), at_once)


def test_opposite_rows_have_no_way_between_them_but_their_ends(monkeypatch):
    monkeypatch.setattr(spherical_module, "SLAB", 2)
    old, mapped = [[1.0, 0.0], [3.0, 0.3]], [[0.0, 1.0], [-1.0, -0.1]]
    assert refused(lambda: slerp(old, mapped, 0.5)) == (
        "row 1 of old and of mapped point in opposite directions, between which there is no shortest way; pass "
        "amount=0 or amount=1, or another adapter"
    )
    assert slerp(old, mapped, 1)[1].tolist() == [pytest.approx(-0.995037), pytest.approx(-0.0995037)]


@pytest.mark.parametrize(
    ("old", "mapped", "amount", "sentence"),
    [
        (np.eye(2), np.eye(2), 1.5, "amount is 1.5; pass a number from 0 to 1"),
        (np.eye(2), np.eye(2), float("nan"), "amount is nan; pass a number from 0 to 1"),
        (
            np.eye(2),
            np.eye(3),
            0.5,
            "old has shape (2, 2) and mapped has (3, 3); pass two vectors of one space for each item",
        ),
        (
            np.eye(2),
            [[1.0, 0.0], [0.0, 0.0]],
            0.5,
            "mapped has 1 row of zeros, first at row 1; a zero vector has no direction: remove these rows",
        ),
    ],
)
def test_what_can_not_be_blended_is_refused(old, mapped, amount, sentence):
    assert refused(lambda: slerp(old, mapped, amount)) == sentence


def test_a_blend_is_the_way_from_the_old_query_to_the_mapped_one(rng):
    new, old = paired(rng, source=5, target=4)
    adapter = Slerp(adapter=Procrustes(), amount=0.3).fit(new, old)
    mapped = Procrustes().fit(new, old).transform(new)
    np.testing.assert_array_equal(adapter.transform(new), mapped)
    np.testing.assert_allclose(adapter.blend(new, old), slerp(old, mapped, 0.3), atol=1e-6)
    assert not adapter.adapter.fitted


def test_what_can_not_be_wrapped_is_refused(rng):
    pairs = paired(rng)
    assert refused(lambda: Slerp(adapter="ridge").fit(*pairs)) == (
        "adapter is a str; pass an adapter such as Procrustes()"
    )
    assert refused(lambda: Slerp(adapter=Ridge(unit=False)).fit(*pairs)) == (
        "adapter has unit=False, but a way along the sphere needs directions; pass unit=True"
    )
    assert refused(lambda: Slerp(adapter=Ridge(strength=-1)).fit(*pairs)) == (
        "strength is -1; pass a finite number of 0 or more"
    )
    assert refused(lambda: Slerp(adapter=Ridge(), amount=-1).fit(*pairs)) == "amount is -1; pass a number from 0 to 1"


def test_old_queries_that_do_not_belong_are_refused(rng):
    new, old = paired(rng)
    adapter = Slerp(adapter=Ridge())
    assert refused(lambda: adapter.blend(new, old)).startswith("this Slerp is not fitted; ")
    adapter.fit(new, old)
    assert refused(lambda: adapter.blend(new, old[1:])) == (
        "source has shape (60, 5) and old (59, 4), but this Slerp blends vectors of 5 and 4 dimensions; pass the same "
        "items in the same order, as the new and as the old model embed them"
    )
