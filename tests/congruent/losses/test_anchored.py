import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from segue.congruent.losses import AnchoredDistillation, ChurnDistillation
from segue.errors import InputError
from tests.congruent.losses.cases import SAME, batch


def test_worked_by_hand():
    # the new model gives 1/4, 3/4, the old one 2/3, 1/3: right on the first sample, wrong on the second
    new, old = torch.tensor([[1.0, 3.0]]).log().expand(2, 2), torch.tensor([[2.0, 1.0]]).log().expand(2, 2)
    values = AnchoredDistillation(alpha=0.3, epsilon=0.5, reduction="none")(new, old, torch.tensor([0, 1]))
    right = 0.9 * math.log(4) + 0.1 * math.log(4 / 3)  # 0.3 x (2/3, 1/3) + 0.7 x (1, 0)
    wrong = 0.5 * (0.15 * math.log(4) + 0.85 * math.log(4 / 3))  # 0.5 x (0.7 x (0, 1) + 0.3 x (1/2, 1/2))
    assert values.tolist() == pytest.approx([right, wrong])


def test_a_sample_of_a_new_class_is_not_quietened():
    new, old = torch.tensor([[1.0, 1.0, 2.0]]).log(), torch.tensor([[99.0, 0.0]])
    value = AnchoredDistillation(epsilon=0.0, class_map=[0, 1])(new, old, torch.tensor([2]))
    assert value.item() == pytest.approx(math.log(2))


@given(st.integers(0, 2**31))
def test_without_the_old_model_it_is_a_weighted_cross_entropy(seed):
    new, old, labels = batch(seed, class_map=SAME)
    weights = torch.where(old.argmax(1) == labels, 1.0, 0.25).double()
    expected = (weights * functional.cross_entropy(new, labels, reduction="none")).mean()
    torch.testing.assert_close(AnchoredDistillation(alpha=0.0, epsilon=0.25)(new, old, labels), expected)


@given(st.integers(0, 2**31))
def test_an_old_model_that_is_always_right_makes_it_churn_distillation(seed):
    new, old, _ = batch(seed, class_map=SAME)
    labels = old.argmax(1)
    expected = ChurnDistillation(0.5)(new, old, labels)
    torch.testing.assert_close(AnchoredDistillation(alpha=0.5, epsilon=0.1)(new, old, labels), expected)


@pytest.mark.parametrize("name", ["alpha", "epsilon"])
def test_a_share_above_one_is_one_sentence(name):
    with pytest.raises(InputError) as told:
        AnchoredDistillation(**{name: 1.5})
    assert str(told.value) == f"{name} is 1.5; pass a number from 0 to 1"
