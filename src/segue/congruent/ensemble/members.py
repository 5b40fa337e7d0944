"""Train the members of an ensemble one by one; what a finished one said is kept on disk."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from segue.errors import InputError
from segue.training import Validation, fit, outputs_of
from segue.training.data import TrainingData, as_data
from segue.training.identity import digest_of
from segue.training.references import content_key, model_key
from segue.training.seeds import derive, drawn_from

Build = Callable[[], nn.Module]
MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
MakeSchedule = Callable[[Optimizer, int], LRScheduler]


def member_logits(
    build: Build,
    data: Any,
    *,
    members: int,
    optimizer: MakeOptimizer,
    epochs: int,
    batch_size: int = 128,
    schedule: MakeSchedule | None = None,
    seed: int = 0,
    validation: Validation | None = None,
    folder: str | Path | None = None,
    data_key: str | None = None,
    progress: bool = True,
) -> Tensor:
    """Train models that differ only in their seed, and return what each says about its training samples.

    Member ``m`` depends on ``seed`` and ``m`` alone: eight members begin with the same four as four members. With a
    folder, a member that is done leaves one safetensors file of its logits, written beside and moved into place, and is
    not trained again; one that was killed goes on from its checkpoint. The file's name holds a hash of the first
    weights, the data and the settings, so that none is taken for another's.

    Args:
        build: Returns a new model with fresh weights, drawn from torch's global generator.
        data: A pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
        members: How many.
        optimizer: From a model's parameters to an optimiser.
        epochs: Passes over the data.
        batch_size: Samples per step.
        schedule: From an optimiser and the number of steps to a schedule that is stepped after each step.
        seed: Seed of all that chance decides.
        validation: Held-out samples to watch.
        folder: Where the members' logits are kept; ``4 x samples x classes`` bytes each.
        data_key: What the data are called, for datasets that are not tensors in memory; change it when they change.
        progress: Whether to show a bar on stderr, if it is a terminal.

    Returns:
        Logits ``(members, n, classes)``, float32, on the CPU, of the samples as they are, without augmentation.

    Raises:
        InputError: If an argument is not as described, or a kept file does not fit.
    """
    if isinstance(members, bool) or not isinstance(members, int) or members < 1:
        raise InputError(f"members is {members!r}; pass a whole number from 1")
    samples = as_data(data)
    steps = epochs * -(-len(samples) // batch_size)
    found: list[Tensor] = []
    seen: list[nn.Module] = []
    for member in range(members):
        own = derive(seed, "member", member)
        model = built(build, own)
        if seen and model is seen[-1]:
            raise InputError("build returned the same model twice; let it make a new one each time")
        seen[:] = [model]
        stepped = optimizer(model.parameters())
        planned = None if schedule is None else schedule(stepped, steps)
        kept = None
        if folder is not None:
            told = f"{own}:{epochs}:{batch_size}:{stepped!r}:{_simple(planned)}"
            key = run_key(model, samples, told, data_key)
            kept = Path(folder) / f"member-{member:03d}-{key}.safetensors"
        if kept is None or not kept.exists():
            fit(
                model,
                samples,
                nn.CrossEntropyLoss(),
                optimizer=stepped,
                schedule=planned,
                epochs=epochs,
                batch_size=batch_size,
                validation=validation,
                seed=own,
                checkpoint=None if kept is None else kept.with_suffix(""),
                progress=progress,
                name=f"member {member + 1} of {members}",
            )
            logits = outputs_of(model, samples, batch_size=max(batch_size, 512))
            if kept is not None:
                _write(kept, logits)
                shutil.rmtree(kept.with_suffix(""), ignore_errors=True)
        else:
            logits = _read(kept, len(samples))
        if found and logits.shape != found[0].shape:
            raise InputError(
                f"member {member + 1} gives logits of shape {tuple(logits.shape)} but the first one of "
                f"{tuple(found[0].shape)}; build must make the same architecture each time"
            )
        found.append(logits)
    return torch.stack(found)


def built(build: Build, seed: int) -> nn.Module:
    """Build a model with the weights that a seed decides.

    Args:
        build: What makes it.
        seed: The seed.

    Returns:
        The model.

    Raises:
        InputError: If it makes something else.
    """
    if isinstance(build, nn.Module) or not callable(build):
        raise InputError(f"build is a {type(build).__name__}; pass a function that returns a new model")
    with drawn_from(seed, "weights"):
        model = build()
    if not isinstance(model, nn.Module):
        raise InputError(f"build returned a {type(model).__name__}; let it return a torch module")
    return model


def run_key(model: nn.Module, samples: TrainingData, settings: str, data_key: str | None) -> str:
    """Return a short hash of all that decides how a training ends.

    Args:
        model: The model with its first weights.
        samples: The data.
        settings: Whatever else decides it, as text.
        data_key: What the data are called, where they are not tensors in memory.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=8)
    labels = getattr(samples, "labels", None)
    augment = getattr(samples, "augment", None)
    told = labels.cpu().numpy().tobytes() if data_key is None and isinstance(labels, Tensor) else b""
    for part in (model_key(model), content_key(samples, data_key), settings):
        digest.update(part.encode() + b"\0")
    digest.update(told)
    if augment is not None:
        digest.update(digest_of(augment).encode())
    return digest.hexdigest()


def _simple(schedule: LRScheduler | None) -> str:
    if schedule is None:
        return ""
    plain = {
        name: value for name, value in schedule.state_dict().items() if isinstance(value, int | float | str | list)
    }
    return f"{type(schedule).__name__}{plain}"


def _read(path: Path, samples: int) -> Tensor:
    try:
        logits = load_file(path)["logits"]
    except (SafetensorError, KeyError, OSError) as error:
        raise InputError(f"{path.name} can't be read ({error}); remove it to train this member again") from error
    if logits.dim() != 2 or len(logits) != samples:
        raise InputError(
            f"{path.name} holds logits of shape {tuple(logits.shape)} for {samples:,} samples; pass another data_key "
            f"when the data change"
        )
    return logits


def _write(path: Path, logits: Tensor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    os.close(handle)
    try:
        save_file({"logits": logits.contiguous()}, beside)
        with Path(beside).open("rb") as written:
            os.fsync(written.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
