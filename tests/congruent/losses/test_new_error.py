import math

import pytest
import torch

from segue.congruent.losses import NewError

NEW = torch.tensor([[1.0, 3.0]]).log().expand(4, 2)  # the classes have 1/4 and 3/4
OLD = torch.tensor([[1.0, 0.0]]).expand(4, 2)


def test_worked_by_hand():
    # the old model is right on one of four samples: a quarter of log 4, not all of it
    assert NewError()(NEW, OLD, torch.tensor([0, 1, 1, 1])).item() == pytest.approx(math.log(4) / 4)


def test_its_scale_is_that_of_a_mean_over_the_batch():
    # twice as many samples that the old model got right weigh twice as much; a mean over those alone would not see it
    one = NewError()(NEW, OLD, torch.tensor([0, 1, 1, 1]))
    two = NewError()(NEW, OLD, torch.tensor([0, 0, 1, 1]))
    torch.testing.assert_close(two, 2 * one)


def test_an_old_model_that_is_never_right_costs_nothing():
    assert NewError()(NEW, OLD, torch.tensor([1, 1, 1, 1])).item() == 0.0
