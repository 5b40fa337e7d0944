import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.congruent.losses.class_maps import ClassMap, read_class_map
from segue.errors import InputError

MISTAKES = {
    "empty": ([], "class_map has the shape (0,); pass one new class index per old class, -1 where it is gone"),
    "a matrix": (
        [[0, 1]],
        "class_map has the shape (1, 2); pass one new class index per old class, -1 where it is gone",
    ),
    "fractions": ([0.0, 1.5], "class_map holds torch.float32; pass integers, the new class index of each old class"),
    "a mask": ([True, False], "class_map holds torch.bool; pass integers, the new class index of each old class"),
    "far below": ([0, -2], "class_map holds -2; pass class indices from 0, and -1 for a class that is gone"),
    "nothing left": (
        [-1, -1],
        "class_map says that every old class is gone; there is nothing to compare the models on",
    ),
    "merged": (
        [0, 2, 2],
        "class_map sends more than one old class to the new class 2; "
        "merged classes can't be compared, give all but one of them -1",
    ),
    "identifiers": ([0, 10**12], "class_map names the new class 1000000000000; pass column indices of new_logits"),
}


@pytest.mark.parametrize(("class_map", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence(class_map, sentence):
    with pytest.raises(InputError) as told:
        read_class_map(class_map)
    assert str(told.value) == sentence


@pytest.mark.parametrize("class_map", [["cat", "dog"], {0: 1}, 7 + 2j, None])
def test_what_is_no_vector_of_numbers_is_told(class_map):
    with pytest.raises(InputError, match=r"^class_map "):
        read_class_map(class_map)


@given(st.data())
def test_it_agrees_with_a_dictionary(data):
    new_classes = data.draw(st.integers(1, 8))
    kept = data.draw(st.permutations(range(new_classes)))[: data.draw(st.integers(1, new_classes))]
    gone = data.draw(st.integers(0, 3))
    class_map = data.draw(st.permutations([*kept, *[-1] * gone]))
    classes = ClassMap(class_map)
    old_of = {new: old for old, new in enumerate(class_map) if new >= 0}
    labels = [*range(new_classes), -1, -100]
    assert classes.old_labels(torch.tensor(labels)).tolist() == [old_of.get(label, -1) for label in labels]
    new, old = torch.arange(new_classes)[None], torch.arange(len(class_map))[None]
    new_columns, old_columns = classes.common(new, old)
    assert {o: n for n, o in zip(new_columns[0].tolist(), old_columns[0].tolist(), strict=True)} == {
        old: new for new, old in old_of.items()
    }
    placed = classes.in_new_classes(old.double(), new_classes)[0].tolist()
    assert placed == [old_of.get(new, float("-inf")) for new in range(new_classes)]
