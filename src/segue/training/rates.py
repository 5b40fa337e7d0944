"""The learning rates that a schedule will give, found without touching it or its optimiser."""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


def learning_rates(schedule: LRScheduler, optimizer: Optimizer, steps: int) -> NDArray[np.float64] | None:
    """Return the learning rates of a training that begins now.

    A schedule's state does not say all that it will do: that of a ``LambdaLR`` leaves its functions out. So a copy of
    it is stepped through.

    Args:
        schedule: The schedule; left as it is.
        optimizer: The optimiser that it was made for; left as it is.
        steps: Steps of the training.

    Returns:
        ``(steps, groups of parameters)``; ``None`` where the schedule can't be copied, or wants more than ``step()``.

    Example:
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        >>> schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.1**step)
        >>> learning_rates(schedule, optimizer, 3).ravel().round(4)
        array([0.5  , 0.05 , 0.005])
    """
    stand_in = torch.optim.SGD([torch.zeros(1)], lr=1.0)  # the settings of the groups, none of the parameters
    stand_in.param_groups = [{**group, "params": []} for group in optimizer.param_groups]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps of a schedule without steps of the optimiser
        try:
            copied = copy.deepcopy(schedule, {id(optimizer): stand_in})
            found = []
            for step in range(steps):
                if step:
                    copied.step()
                found.append([float(group["lr"]) for group in stand_in.param_groups])
        except (TypeError, AttributeError, ValueError, RuntimeError, copy.Error):
            return None
    return np.array(found)
