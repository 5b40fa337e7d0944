"""What a frozen model says about every training sample: computed once, kept on disk, looked up in each step."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.asking import outputs_of
from segue.training.data import TensorData, TrainingData, as_data
from segue.training.frozen import Frozen

Reference = Tensor | nn.Module
"""Logits of every training sample ``(n, classes)``, or a model that is asked about every batch as it is augmented."""


def cached_outputs(
    model: nn.Module,
    data: Any,
    *,
    folder: str | Path,
    data_key: str | None = None,
    batch_size: int = 512,
    device: torch.device | str | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Tensor:
    """Return a model's logits on all samples, from the folder where they were computed before.

    The file is keyed by the model (its class, its weights) and by the data (its content, or ``data_key``). It takes
    ``4 x samples x classes`` bytes, is mapped into memory rather than read, and is written beside and moved into place:
    a killed run leaves no half file.

    Args:
        model: The model; a frozen copy answers.
        data: A pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
        folder: Where the outputs are kept.
        data_key: What the data are called, for datasets that are not tensors in memory; change it when they change.
        batch_size: Samples per call.
        device: Where the model answers; by default where it is.
        advance: Called with the number of samples done since the last call.

    Returns:
        Logits ``(n, classes)``, float32, on the CPU.

    Raises:
        InputError: If the data are no tensors and have no key, or a kept file does not fit the data.
    """
    samples = as_data(data)
    kept = Path(folder) / f"outputs-{model_key(model)}-{content_key(samples, data_key)}.npy"
    if not kept.exists():
        found = outputs_of(Frozen(model), samples, batch_size=batch_size, device=device, advance=advance).numpy()
        _write(kept, found)
    outputs = np.load(kept, mmap_mode="c", allow_pickle=False)
    if outputs.ndim != 2 or len(outputs) != len(samples):
        raise InputError(
            f"{kept.name} holds outputs of shape {outputs.shape} for {len(samples):,} samples; pass another data_key "
            f"when the data change"
        )
    return torch.from_numpy(outputs)


def model_key(model: nn.Module) -> str:
    """Return a short hash of a model's class and weights.

    Args:
        model: The model.

    Returns:
        16 hexadecimal digits.

    Example:
        >>> model_key(nn.Identity()) == model_key(nn.Identity()), model_key(nn.Identity()) == model_key(nn.Tanh())
        (True, False)
    """
    digest = hashlib.blake2b(repr(model).encode(), digest_size=8)
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        _add(digest, tensor)
    return digest.hexdigest()


def content_key(data: TrainingData, data_key: str | None = None) -> str:
    """Return a short hash of what the data hold, or of their name.

    Args:
        data: The data.
        data_key: Their name, where they are not tensors in memory.

    Returns:
        16 hexadecimal digits.

    Raises:
        InputError: If they are no tensors and have no name.
    """
    digest = hashlib.blake2b(f"{data_key}:{len(data)}".encode(), digest_size=8)
    if data_key is None:
        if not isinstance(data, TensorData):
            raise InputError("the data are no tensors in memory; pass data_key, a name that changes when they change")
        named = data.inputs if isinstance(data.inputs, Mapping) else {"inputs": data.inputs}
        for name, tensor in named.items():
            digest.update(name.encode())
            _add(digest, tensor)
    return digest.hexdigest()


def _add(digest: Any, tensor: Tensor) -> None:
    plain = tensor.detach().cpu().contiguous()
    digest.update(f"{plain.dtype}{tuple(plain.shape)}".encode())
    digest.update(plain.flatten().view(torch.uint8).numpy())


def _write(path: Path, outputs: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, outputs, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
