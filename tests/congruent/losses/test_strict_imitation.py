import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.congruent.losses import FocalDistillation, KLDivergence, NewError, StrictImitation
from tests.congruent.losses.cases import CLASS_MAP, batch

NEW = torch.tensor([[1.0, 3.0]]).log().expand(2, 2)  # the classes have 1/4 and 3/4
OLD = torch.tensor([[2.0, 1.0]]).log().expand(2, 2)  # 2/3 and 1/3
LABELS = torch.tensor([0, 1])


def test_worked_by_hand():
    # right on the first of two samples: (2/3 log(4) + 1/3 log(4/3)) / 2
    expected = (2 / 3 * math.log(4) + 1 / 3 * math.log(4 / 3)) / 2
    assert StrictImitation()(NEW, OLD, LABELS).item() == pytest.approx(expected)


def test_it_imitates_the_old_model_and_not_the_truth():
    assert not torch.isclose(StrictImitation()(NEW, OLD, LABELS), NewError()(NEW, OLD, LABELS))


@given(st.integers(0, 2**31))
def test_its_gradient_is_that_of_focal_distillation_without_alpha_at_a_temperature_of_one(seed):
    new, old, labels = batch(seed)
    new.requires_grad_()
    focal = FocalDistillation(0, 1, distance=KLDivergence(1.0), class_map=CLASS_MAP)
    (gradient,) = torch.autograd.grad(StrictImitation(class_map=CLASS_MAP)(new, old, labels), new)
    (expected,) = torch.autograd.grad(focal(new, old, labels), new)
    torch.testing.assert_close(gradient, expected, rtol=1e-7, atol=1e-9)
