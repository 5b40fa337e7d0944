import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from segue.congruent.losses import Distillation, GatedDistillation
from segue.congruent.objective import Mixed
from segue.errors import InputError
from tests.congruent.losses.cases import SAME, batch


def test_worked_by_hand():
    # the new model gives 1/4, 3/4; the old one 2/3, 1/3: better on class 0, worse on class 1
    new, old = torch.tensor([[1.0, 3.0]]).log().expand(2, 2), torch.tensor([[2.0, 1.0]]).log().expand(2, 2)
    values = GatedDistillation(alpha=0.3, temperature=1, reduction="none")(new, old, torch.tensor([0, 1]))
    divergence = 2 / 3 * math.log((2 / 3) / (1 / 4)) + 1 / 3 * math.log((1 / 3) / (3 / 4))
    assert values.tolist() == pytest.approx([0.3 * divergence + 0.7 * math.log(4), math.log(4 / 3)], rel=1e-5)


def test_the_gate_is_open_where_both_are_equally_good():
    old = torch.tensor([[2.0, 1.0, 3.0]])
    new = torch.tensor([[2.0, 3.0, 1.0]])  # the same probability of class 0
    value = GatedDistillation(alpha=1.0)(new, old, torch.tensor([0]))
    torch.testing.assert_close(value, Distillation(2.0)(new, old, torch.tensor([0])))


@given(st.integers(0, 2**31))
def test_an_old_model_that_is_always_sure_and_right_is_always_followed(seed):
    new, old, labels = batch(seed, class_map=SAME)
    old = old + 50 * functional.one_hot(labels, 5)
    torch.testing.assert_close(
        GatedDistillation(0.4, 3.0)(new, old, labels), Mixed(Distillation(3.0), 0.4)(new, old, labels)
    )


@given(st.integers(0, 2**31))
def test_an_old_model_that_is_always_sure_and_wrong_is_never_followed(seed):
    new, old, labels = batch(seed, class_map=SAME)
    old = old - 50 * functional.one_hot(labels, 5)
    torch.testing.assert_close(GatedDistillation()(new, old, labels), functional.cross_entropy(new, labels))


def test_a_share_above_one_is_one_sentence():
    with pytest.raises(InputError) as told:
        GatedDistillation(alpha=2)
    assert str(told.value) == "alpha is 2; pass a number from 0 to 1"
