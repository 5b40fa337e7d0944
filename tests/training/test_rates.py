import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
)

from segue.training.rates import learning_rates

SCHEDULES = {
    "functions": lambda optimizer: LambdaLR(optimizer, [lambda step: 0.9**step, lambda step: 1 / (1 + step)]),
    "factors": lambda optimizer: MultiplicativeLR(optimizer, lambda step: 0.5),
    "one cycle": lambda optimizer: OneCycleLR(optimizer, [0.2, 0.4], total_steps=12),
    "in a row": lambda optimizer: SequentialLR(
        optimizer, [LinearLR(optimizer, total_iters=4), CosineAnnealingLR(optimizer, 8)], milestones=[4]
    ),
}


def two_groups():
    first, second = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    return torch.optim.SGD([{"params": [first], "lr": 0.5}, {"params": [second]}], lr=0.1, momentum=0.9)


@pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)
def test_they_are_those_of_a_training_and_nothing_is_touched(make):
    optimizer = two_groups()
    schedule = make(optimizer)
    foretold = learning_rates(schedule, optimizer, 12)
    lived = []
    for _ in range(12):
        lived.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step() if len(lived) < 12 else None
    np.testing.assert_array_equal(foretold, lived)


def test_a_schedule_that_waits_for_a_quality_has_none():
    optimizer = two_groups()
    assert learning_rates(ReduceLROnPlateau(optimizer), optimizer, 3) is None
