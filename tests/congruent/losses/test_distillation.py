import math

import pytest
import torch
from torch.nn import functional

from segue.congruent.losses import Distillation
from tests.congruent.losses.cases import SAME, batch


def test_worked_by_hand():
    # p = (1/2, 1/2), q = (1/4, 3/4) at T = 1: (log(2) + log(2/3)) / 2; the labels are not read
    new = torch.tensor([[1.0, 3.0]], dtype=torch.float64).log()
    old = torch.zeros(1, 2, dtype=torch.float64)
    for label in (0, 1):
        value = Distillation(temperature=1)(new, old, torch.tensor([label]))
        assert value.item() == pytest.approx(math.log(4 / 3) / 2)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_it_is_the_divergence_of_torch(temperature):
    new, old, labels = batch(0, class_map=SAME)
    expected = functional.kl_div(
        (new / temperature).log_softmax(1), (old / temperature).log_softmax(1), reduction="batchmean", log_target=True
    )
    torch.testing.assert_close(Distillation(temperature)(new, old, labels), temperature**2 * expected)
