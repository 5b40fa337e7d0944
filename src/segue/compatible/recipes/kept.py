"""A run as it is kept on disk: the network's weights, what it cost, and how it is told from another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_model, save_model
from torch import nn

from segue.errors import InputError


@dataclass(frozen=True)
class Run:
    """A training that is over.

    Attributes:
        key: Its name on disk.
        seconds: Wall-clock seconds of its epochs.
        trainings: What it costs in plain trainings.
    """

    key: str
    seconds: float
    trainings: float


def finished(folder: Path, identity: str) -> Run | None:
    """Look for a run that is over.

    Args:
        folder: The run's folder.
        identity: All that decides how it ends.

    Returns:
        The run, or ``None`` where it has not been trained to its end.

    Raises:
        InputError: If the folder holds a run that was trained otherwise.
    """
    told = folder / "run.json"
    if not told.exists():
        return None
    found = json.loads(told.read_text(encoding="utf-8"))
    if found.pop("training", None) != identity:
        raise InputError(
            f"{str(folder)!r} was trained for another update, with other settings, or by another version of Segue; "
            "remove it, or name another folder"
        )
    return Run(**found)


def keep(folder: Path, network: nn.Module, run: Run, identity: str) -> None:
    """Write a run; one that was killed meanwhile is not over.

    Args:
        folder: The run's folder.
        network: The trained network.
        run: What it cost.
        identity: All that decides how it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_model(network, str(folder / "model.safetensors"))
    write(
        folder / "run.json", {"key": run.key, "seconds": run.seconds, "trainings": run.trainings, "training": identity}
    )


def load(folder: Path, network: nn.Module) -> nn.Module:
    """Put a run's weights into a network of the same shape.

    Args:
        folder: The run's folder.
        network: The network; changed in place.

    Returns:
        The network, in evaluation mode.
    """
    load_model(network, str(folder / "model.safetensors"))
    return network.eval()


def write(path: Path, told: Mapping[str, Any]) -> None:
    """Write plain values as JSON; a killed process leaves the whole file or none.

    Args:
        path: The file.
        told: The values.
    """
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
