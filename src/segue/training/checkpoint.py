"""A training on disk: weights as safetensors, optimiser and schedule beside them, each checkpoint whole or absent."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from torch import nn

from segue.errors import InputError
from segue.training.history import Epoch

_NAME = re.compile(r"^step-(\d{9})$")


@dataclass(frozen=True)
class Place:
    """Where a training stands between two steps.

    Attributes:
        steps: Optimiser steps done.
        loss_sum: Sum of the losses of the current epoch's samples.
        epochs: The epochs that are over.
        run: What makes this run the same run: seed, batch size, sizes of data and schedule.
    """

    steps: int
    loss_sum: float
    epochs: tuple[Epoch, ...]
    run: Mapping[str, Any]


def save(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, schedule: Any | None, place: Place) -> Path:
    """Write a checkpoint and remove the older ones, in this order.

    Args:
        folder: The training's checkpoints.
        model: The model.
        optimizer: Its optimiser.
        schedule: The learning rate's schedule, if there is one.
        place: Where the training stands.

    Returns:
        The checkpoint's folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole, beside = folder / f"step-{place.steps:09d}", folder / f"step-{place.steps:09d}.part"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    save_model(model, str(beside / "model.safetensors"))
    states = {"optimizer": optimizer.state_dict(), "schedule": None if schedule is None else schedule.state_dict()}
    torch.save(states, beside / "optimizer.pt")
    told = {**asdict(place), "run": dict(place.run)}
    (beside / "place.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    for path in (*beside.iterdir(), beside):
        _to_disk(path)
    shutil.rmtree(whole, ignore_errors=True)
    beside.replace(whole)
    _to_disk(folder)
    for older in folder.iterdir():
        if older != whole and re.match(r"^step-\d{9}(\.part)?$", older.name):
            shutil.rmtree(older, ignore_errors=True)
    return whole


def latest(folder: Path) -> Path | None:
    """Return the newest whole checkpoint in a folder, or ``None``.

    Args:
        folder: The training's checkpoints.

    Returns:
        The checkpoint's folder.
    """
    found = [path for path in folder.iterdir() if _NAME.match(path.name)] if folder.is_dir() else []
    return max(found, key=lambda path: path.name, default=None)


def load(
    checkpoint: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: Any | None,
    run: Mapping[str, Any],
) -> Place:
    """Put model, optimiser and schedule back to where a checkpoint left them.

    Args:
        checkpoint: The checkpoint's folder.
        model: The model.
        optimizer: Its optimiser.
        schedule: The learning rate's schedule, if there is one.
        run: What makes this run the same run.

    Returns:
        Where the training stands.

    Raises:
        InputError: If the checkpoint is of another run, or can't be read.
    """
    try:
        told = json.loads((checkpoint / "place.json").read_text(encoding="utf-8"))
        for name, value in run.items():
            if told["run"].get(name) != value:
                raise InputError(
                    f"the checkpoint in {str(checkpoint)!r} is of another run: its {name} is "
                    f"{told['run'].get(name)!r}, not {value!r}; name another folder, or remove this one"
                )
        load_model(model, str(checkpoint / "model.safetensors"))
        states = torch.load(checkpoint / "optimizer.pt", weights_only=True, map_location="cpu")
        optimizer.load_state_dict(states["optimizer"])
        if schedule is not None:
            schedule.load_state_dict(states["schedule"])
    except InputError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(
            f"the checkpoint in {str(checkpoint)!r} can't be read ({str(error).splitlines()[0]}); remove it to begin anew"
        ) from error
    epochs = tuple(Epoch(**epoch) for epoch in told["epochs"])
    return Place(told["steps"], told["loss_sum"], epochs, told["run"])


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
