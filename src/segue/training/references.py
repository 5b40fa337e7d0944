"""What a frozen model says about every training sample: computed once, kept on disk, looked up in each step."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.asking import answering, answers
from segue.training.data import TensorData, TrainingData, as_data
from segue.training.frozen import Frozen
from segue.training.identity import digest_of

Reference = Tensor | nn.Module
"""Logits of every training sample ``(n, classes)``, or a model that is asked about every batch as it is augmented."""

_CHECKSUM_BYTES = 16


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

    The file is keyed by the model (its class, settings and weights) and by the data (their inputs, or ``data_key``). It
    takes ``4 x samples x classes`` bytes on disk; what is returned is mapped into memory, so that the system reads and
    drops its pages as it likes. It is written as the answers come, and gets its name once it is whole: a killed run
    leaves nothing that another would believe. A file that does not match its checksum is computed anew. Of several
    processes at once one computes, the others wait for it.

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
        InputError: If the data are no tensors and have no key, the model's outputs are not finite, or the folder can't
            be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cached_outputs(nn.Identity(), (torch.eye(2), torch.tensor([0, 1])), folder=folder)
        tensor([[1., 0.],
                [0., 1.]])
    """
    samples = as_data(data)
    kept = Path(folder) / f"outputs-{model_key(model)}-{content_key(samples, data_key)}.npy"
    found = _read(kept, len(samples))
    if found is not None:
        return found
    lock = FileLock(kept.with_suffix(".lock"))
    with _on_disk(kept.parent, len(samples)):
        kept.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        found = _read(kept, len(samples))  # another process may have been faster
        if found is None:
            _compute(kept, Frozen(model), samples, batch_size, device, advance)
            found = _read(kept, len(samples))
    finally:
        lock.release()
    if found is None:
        raise InputError(f"{str(kept)!r} is not as it was written; look at the disk, or name another folder")
    return found


def model_key(model: nn.Module) -> str:
    """Return a short hash of a model's class, settings and weights.

    Args:
        model: The model.

    Returns:
        16 hexadecimal digits.

    Example:
        >>> model_key(nn.Identity()) == model_key(nn.Identity()), model_key(nn.Identity()) == model_key(nn.Tanh())
        (True, False)
    """
    return digest_of(model.model if isinstance(model, Frozen) else model)


def content_key(data: TrainingData, data_key: str | None = None) -> str:
    """Return a short hash of the inputs that the data hold, or of the data's name.

    Args:
        data: The data.
        data_key: Their name, where they are not tensors in memory.

    Returns:
        16 hexadecimal digits.

    Raises:
        InputError: If they are no tensors and have no name.
    """
    if data_key is not None:
        return digest_of([data_key, len(data)])
    if not isinstance(data, TensorData):
        raise InputError("the data are no tensors in memory; pass data_key, a name that changes when they change")
    named = data.inputs if isinstance(data.inputs, Mapping) else {"inputs": data.inputs}
    return digest_of({name: named[name] for name in sorted(named)})


def _read(kept: Path, samples: int) -> Tensor | None:
    # mapped into memory, if there is one and it is whole
    try:
        outputs = np.load(kept, mmap_mode="c", allow_pickle=False)
        with kept.open("rb") as file:
            file.seek(-_CHECKSUM_BYTES, os.SEEK_END)
            checksum = file.read()
    except (OSError, ValueError, EOFError):
        return None
    if len(outputs) != samples or _digest(outputs).digest() != checksum:
        return None
    return torch.from_numpy(outputs)


def _compute(
    kept: Path,
    model: Frozen,
    samples: TrainingData,
    batch_size: int,
    device: torch.device | str | None,
    advance: Callable[[int], None],
) -> None:
    # Written as the answers come: a NumPy file with a checksum behind, moved to its name when it is whole.
    beside = kept.with_suffix(".part")  # the lock is held: one that is there was left by a killed run
    if device is not None:
        model.to(device)
    digest, done = _digest(), 0
    try:
        with _on_disk(kept.parent, len(samples)):
            file = beside.open("wb", buffering=0)
        with file, answering(model):
            for answered in answers(model, samples, torch.arange(len(samples)), batch_size, device):
                outputs = np.ascontiguousarray(answered.numpy())
                _check_finite(outputs, done)
                with _on_disk(kept.parent, len(samples)):
                    if not done:
                        shape = (len(samples), *outputs.shape[1:])
                        _begin(file, outputs.dtype, shape)
                    _write(file, outputs.data)
                digest.update(outputs.data)
                done += len(outputs)
                advance(len(outputs))
            with _on_disk(kept.parent, len(samples)):
                _write(file, digest.digest())
                os.fsync(file.fileno())
        with _on_disk(kept.parent, len(samples)):
            beside.replace(kept)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _check_finite(outputs: np.ndarray[Any, Any], first: int) -> None:
    strange = ~np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
    if strange.any():
        raise InputError(
            f"the model's outputs for sample {first + int(strange.argmax())} are not finite; look at its inputs and at "
            f"the model's weights"
        )


def _begin(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    head = io.BytesIO()
    told = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, told)
    _write(file, head.getvalue())


def _write(file: IO[bytes], content: bytes | memoryview) -> None:
    rest = memoryview(content).cast("B")
    while rest:  # a disk that is nearly full takes a part, and refuses the next
        rest = rest[file.write(rest) :]


@contextmanager
def _on_disk(folder: Path, samples: int) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"folder {str(folder)!r} can't keep the model's outputs ({error.strerror or error}); they take 4 bytes for "
            f"each of {samples:,} samples and each class; name a folder with room"
        ) from error


def _digest(outputs: np.ndarray[Any, Any] | None = None) -> Any:
    return hashlib.blake2b(b"" if outputs is None else outputs.data, digest_size=_CHECKSUM_BYTES)
