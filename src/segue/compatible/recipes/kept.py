"""A run as it is kept on disk: the network's weights, what it cost, and how it is told from another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from torch import nn

from segue.compatible.recipes.files import load_weights, read_json, save_weights, write_json
from segue.errors import InputError

WEIGHTS = "model.safetensors"
REMEDY = "remove the folder {!r}, and it is trained again"


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
        InputError: If the folder holds a run that was trained otherwise, or is damaged.
    """
    told = folder / "run.json"
    if not told.exists():
        return None
    found = read_json(told, REMEDY.format(str(folder)))
    if found.pop("training", None) != identity:
        raise InputError(
            f"{str(folder)!r} was trained for another update, with other settings, or by another version of Segue; "
            "remove it, or name another folder"
        )
    try:
        return Run(str(found["key"]), float(found["seconds"]), float(found["trainings"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{str(told)!r} is damaged ({error!r}); {REMEDY.format(str(folder))}") from error


def keep(folder: Path, network: nn.Module, run: Run, identity: str) -> None:
    """Write a run; one that was killed meanwhile is not over.

    Args:
        folder: The run's folder.
        network: The trained network.
        run: What it cost.
        identity: All that decides how it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(folder / WEIGHTS, network)
    write_json(folder / "run.json", {**asdict(run), "training": identity})


def load(folder: Path, network: nn.Module) -> nn.Module:
    """Put a run's weights into a network of the same shape.

    Args:
        folder: The run's folder.
        network: The network; changed in place.

    Returns:
        The network, in evaluation mode.

    Raises:
        InputError: If the weights are missing or damaged.
    """
    return load_weights(folder / WEIGHTS, network, REMEDY.format(str(folder)))
