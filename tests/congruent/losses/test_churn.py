import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from segue.congruent.losses import ChurnDistillation
from segue.errors import InputError
from tests.congruent.losses.cases import SAME, batch


def test_worked_by_hand():
    # 1/4, 3/4 against the target 0.2 x (2/3, 1/3) + 0.8 x (1, 0) = (14/15, 1/15)
    new, old = torch.tensor([[1.0, 3.0]]).log(), torch.tensor([[2.0, 1.0]]).log()
    value = ChurnDistillation(weight=0.2)(new, old, torch.tensor([0]))
    assert value.item() == pytest.approx(14 / 15 * math.log(4) + 1 / 15 * math.log(4 / 3))


def test_grown_classes_worked_by_hand():
    # the new class has no share of the target, but takes part in the new model's answer: 1/4, 1/4, 1/2
    new, old = torch.tensor([[1.0, 1.0, 2.0]]).log().expand(2, 3), torch.tensor([[99.0, 0.0]]).expand(2, 2)
    values = ChurnDistillation(weight=0.5, class_map=[1, 0], reduction="none")(new, old, torch.tensor([0, 2]))
    assert values.tolist() == pytest.approx([math.log(4), math.log(2)])


@given(st.integers(0, 2**31), st.floats(0, 1))
def test_it_is_the_cross_entropy_of_torch_with_mixed_targets(seed, weight):
    new, old, labels = batch(seed, class_map=SAME)
    target = weight * old.softmax(1) + (1 - weight) * functional.one_hot(labels, 5)
    expected = functional.cross_entropy(new, target)
    torch.testing.assert_close(ChurnDistillation(weight)(new, old, labels), expected)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_that_is_no_share_is_one_sentence(weight):
    with pytest.raises(InputError) as told:
        ChurnDistillation(weight)
    assert str(told.value) == f"weight is {weight!r}; pass a number from 0 to 1"
