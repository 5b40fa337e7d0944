"""Whose runs a folder holds: those of one update, so that none is taken for another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import nn

from segue.congruent.recipes.update import Update
from segue.errors import InputError
from segue.training.data import TensorData, TrainingData
from segue.training.identity import digest_of
from segue.training.references import content_key, model_key
from segue.training.seeds import kept_globals

LOOKED_AT = 64  # labels of a dataset, which has no content to look at but sample by sample


def data_key(data: TrainingData, part: str) -> str | None:
    """Return what data are called within a folder; ``None`` for tensors, which are known by their content."""
    return None if isinstance(data, TensorData) else part


def told_update(update: Update, train: TrainingData, validation: TrainingData, fresh: nn.Module) -> dict[str, Any]:
    """Return what makes an update the same update.

    Args:
        update: The update.
        train: Its training data.
        validation: Its validation data.
        fresh: A new model with fresh weights, always of the same seed.

    Returns:
        Plain values by name. Datasets that are not tensors are told by their length and some labels: change the folder
        where their inputs change.
    """
    parts = {"train": train, "validation": validation}
    tensors = [data for data in parts.values() if isinstance(data, TensorData)]
    return {
        **{part: content_key(data, data_key(data, part)) for part, data in parts.items()},
        "old": model_key(update.old) if isinstance(update.old, nn.Module) else "stored logits",
        "labels": [digest_of(data.labels) for data in tensors],
        "some labels": [_some_labels(data) for data in parts.values() if not isinstance(data, TensorData)],
        "augmentation": [digest_of(data.augment) for data in tensors],
        "stored logits": None
        if isinstance(update.old, nn.Module)
        else digest_of([update.old.train, update.old.validation]),
        "new": repr(fresh),
        "optimizer": repr(update.optimizer(fresh.parameters())),
        "fine_tuning": None if update.fine_tuning is None else repr(update.fine_tuning(fresh.parameters())),
        "schedule": _told_schedule(update, fresh, len(train)),
        "epochs": update.epochs,
        "batch_size": update.batch_size,
        "class_map": None if update.class_map is None else list(update.class_map),
        "head": None if update.head is None else list(update.head),
        "seed": update.seed,
        "new model": _on_cpu(fresh),  # last: another seed has other weights
    }


def claim(folder: Path, told: dict[str, Any]) -> str:
    """Write down whose folder it is, or find that it is this update's; of several processes at once one writes.

    Args:
        folder: The folder; made if missing.
        told: What :func:`told_update` returned.

    Returns:
        A digest of it.

    Raises:
        InputError: If it is another's, or can't be written.
    """
    claimed, locks = folder / "update.json", folder / "locks"
    try:
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / "update.lock"):
            if not claimed.exists():
                beside = claimed.with_suffix(".part")
                beside.write_text(json.dumps(told, indent=1), encoding="utf-8")
                beside.replace(claimed)  # at once: a killed process leaves a whole file or none
            before = json.loads(claimed.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"folder {str(folder)!r} can't keep runs ({reason}); name another folder") from error
    for name, value in told.items():
        if before.get(name) != value:
            raise InputError(
                f"{str(folder)!r} holds the runs of another update: its {name} differs; name another folder"
            )
    return digest_of(json.dumps(told, sort_keys=True))


def _told_schedule(update: Update, fresh: nn.Module, samples: int) -> str | None:
    if update.schedule is None:
        return None
    made = update.schedule(update.optimizer(fresh.parameters()), update.steps(samples))
    return f"{type(made).__name__} ({digest_of(made.state_dict())})"


def _on_cpu(fresh: nn.Module) -> str | None:
    # Weights that were drawn on an accelerator are others in each process.
    tensors = [*fresh.parameters(), *fresh.buffers()]
    return model_key(fresh) if all(tensor.device.type == "cpu" for tensor in tensors) else None


def _some_labels(data: TrainingData) -> str:
    index = torch.linspace(0, len(data) - 1, min(LOOKED_AT, len(data)), dtype=torch.float64).long()
    with kept_globals():
        return digest_of([batch.labels for batch in data.plain(torch.split(index, 1))])
