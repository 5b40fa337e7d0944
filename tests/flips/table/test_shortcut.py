"""Dense ids are counted without joining all rows only where both files' labels are proven to be the same."""

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segue.errors import InputError
from segue.flips.table import compare_tables
from segue.flips.table.layout import lay_out
from segue.flips.table.opening import opened
from segue.flips.table.request import Request
from segue.flips.table.shortcut import count_wrong_only

TEXT = ["cat", "dog", "it's", "ü"]


def named(numbers, text):
    return [TEXT[number] for number in numbers] if text else list(numbers)


def pair(old_labels, new_labels, ids=None):
    """Return two tables in which each model repeats its own file's label, so that both look faultless on their own."""
    ids = list(range(len(old_labels))) if ids is None else ids
    return (
        pl.DataFrame({"id": ids, "label": old_labels, "prediction": old_labels}),
        pl.DataFrame({"id": ids, "label": new_labels, "prediction": new_labels}),
    )


def taken(old, new):
    """Return whether the shortcut counts two tables."""
    request = Request(id=("id", "id"), answers=("prediction", "prediction"), label=("label", "label"))
    with opened(old, new, None) as (engine, _):
        layout = lay_out(engine, request, joined=True)
        return count_wrong_only(engine, layout, (), len(old)) is not None


@pytest.mark.parametrize("text", [False, True])
def test_the_shortcut_counts_what_is_sound(text):
    labels = named([0, 1, 2, 3] * 5, text)
    old, new = pair(labels, labels)
    assert taken(old, new[::-1])
    assert compare_tables(old, new[::-1], id="id").counts.both_right == 20


@pytest.mark.parametrize("text", [False, True])
def test_two_swapped_labels_are_refused(text):
    old, new = pair(named([0, 1, 2, 3], text), named([1, 0, 2, 3], text))
    assert not taken(old, new)
    with pytest.raises(InputError, match="disagree on 2 samples"):
        compare_tables(old, new, id="id")


@pytest.mark.parametrize("text", [False, True])
def test_labels_in_reverse_order_are_refused(text):
    labels = named([0] * 500 + [1] * 500, text)
    old, new = pair(labels, labels[::-1])
    assert not taken(old, new)
    with pytest.raises(InputError, match="disagree on 1,000 samples"):
        compare_tables(old, new, id="id")


@settings(max_examples=40)
@given(
    labels=st.lists(st.integers(0, 3), min_size=2, max_size=40),
    first=st.sampled_from([0, -7, 2**40]),
    text=st.booleans(),
    data=st.data(),
)
def test_any_permutation_of_the_labels_is_refused(labels, first, text, data):
    moved = data.draw(st.permutations(labels))
    changed = sum(a != b for a, b in zip(labels, moved, strict=True))
    assume(changed)
    old, new = pair(named(labels, text), named(moved, text), [first + k for k in range(len(labels))])
    assert not taken(old, new)
    with pytest.raises(InputError, match=f"disagree on {changed} samples"):
        compare_tables(old, new, id="id")
