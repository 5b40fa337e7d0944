import math

import pytest
import torch
from torch.nn import functional

from segue.congruent.losses import Reweighting
from segue.congruent.objective import Penalized
from tests.congruent.losses.cases import SAME, batch


def test_worked_by_hand():
    # the new model gives the classes 1/4 and 3/4; the old one is right on the first two samples
    new = torch.tensor([[1.0, 3.0]]).log().expand(3, 2)
    old = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    values = Reweighting(reduction="none")(new, old, torch.tensor([0, 1, 1]))
    assert values.tolist() == pytest.approx([math.log(4), math.log(4 / 3), 0.0])


def test_the_penalised_objective_is_a_weighted_cross_entropy():
    new, old, labels = batch(0, class_map=SAME)
    weights = 1 + 3 * (old.argmax(1) == labels).double()
    expected = (weights * functional.cross_entropy(new, labels, reduction="none")).mean()
    torch.testing.assert_close(Penalized(Reweighting(), 3.0)(new, old, labels), expected)


def test_samples_that_the_old_model_got_wrong_have_no_gradient():
    new, old, labels = batch(0, class_map=SAME)
    new.requires_grad_()
    Reweighting()(new, old, labels).backward()
    right = old.argmax(1) == labels
    assert new.grad is not None
    assert (new.grad[~right] == 0).all()
    assert (new.grad[right].abs().sum(1) > 0).all()
