"""One process or several: how they start, and how they agree on checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from segue.errors import InputError
from segue.training.checkpoint import Checkpoints, Place

if TYPE_CHECKING:
    from lightning.fabric import Fabric


def launched(fabric: Fabric | None) -> Fabric:
    """Return a Fabric whose processes run.

    Args:
        fabric: The caller's; ``None`` for one process on the best device there is.

    Returns:
        The Fabric.

    Raises:
        InputError: If it has several processes that were not started.
    """
    if fabric is None:
        from lightning.fabric import Fabric

        return Fabric(accelerator="auto", devices=1)
    if fabric.world_size > 1 and not torch.distributed.is_initialized():
        raise InputError("fabric has several processes that were not started; call fabric.launch() first")
    return fabric


def begin(process: Fabric, checkpoints: Checkpoints | None) -> Place:
    """Go to where the newest checkpoint left the training.

    Args:
        process: The launched Fabric.
        checkpoints: Where the training is kept, if it is.

    Returns:
        Where the training stands.

    Raises:
        InputError: If a process can't read or write there, or the processes see different checkpoints.
    """
    problem, place = None, Place()
    if checkpoints is None:
        return place
    try:
        checkpoints.check()
        place = checkpoints.load()
    except InputError as error:
        problem = error
    raise_in_all(process, problem)
    steps = gathered(process, torch.tensor(place.steps, device=process.device)).tolist()
    if len(set(steps)) > 1:
        raise InputError(
            f"the processes find checkpoints of different steps {steps}; name a folder that all of them see"
        )
    return place


def save(process: Fabric, checkpoints: Checkpoints, place: Place) -> None:
    """Have the first process write a checkpoint, and the others wait for it.

    Args:
        process: The launched Fabric.
        checkpoints: Where the training is kept.
        place: Where it stands.
    """
    problem = None
    if process.is_global_zero:
        try:
            checkpoints.save(place)
        except InputError as error:
            problem = error
    raise_in_all(process, problem)


def gathered(process: Fabric, value: Tensor) -> Tensor:
    """Return what every process has, to every process.

    Args:
        process: The launched Fabric.
        value: What this process has.

    Returns:
        ``(processes, ...)``.
    """
    found = process.all_gather(value)
    assert isinstance(found, Tensor)
    return found.reshape(process.world_size, *value.shape)


def raise_in_all(process: Fabric, problem: InputError | None) -> None:
    """Raise in every process what one of them met, so that none waits for the others for good.

    Args:
        process: The launched Fabric.
        problem: What this process met, if it met anything.

    Raises:
        InputError: If one of them met something.
    """
    met = gathered(process, torch.tensor(int(problem is not None), device=process.device)).any()
    if problem is not None:
        raise problem
    if met:
        raise InputError("another process can't read or write the checkpoint; its own message says why")
