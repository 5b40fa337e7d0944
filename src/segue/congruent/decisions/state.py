"""The state of stored predictions, in memory and on disk: plain arrays, never pickle."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.replacing import replacing
from segue.errors import InputError

FORMAT = "segue.congruent.decisions.predictions/1"
ZIP = b"PK"
WRITTEN = "a file that PredictionStore.save() or 'segue decide start' wrote"
ARRAYS = ("ids", "classes", "labels", "log_likelihood", "log_unknown", "log_prior", "votes")


@dataclass(eq=False)
class State:
    """Everything that is kept of ``n`` samples between generations.

    Attributes:
        ids: Their names, each once, ``(n,)``.
        classes: The classes in ascending order, ``(classes,)``.
        labels: The stored label's position among the classes, ``(n,)``.
        log_likelihood: Sum over all answers of ``log p(answer | true class)``, ``(n, classes)``.
        log_unknown: The same for a class of which no model knows anything, so that each answer is equally probable
            under it, ``(n,)``.
        log_prior: ``log p(true class)``, ``(classes,)``.
        votes: How many generations gave each answer, ``(n, classes)``.
        history: What happened, oldest first: one flat mapping for each event.
    """

    ids: NDArray[Any]
    classes: NDArray[Any]
    labels: NDArray[np.int64]
    log_likelihood: NDArray[np.float64]
    log_unknown: NDArray[np.float64]
    log_prior: NDArray[np.float64]
    votes: NDArray[np.uint16]
    history: list[dict[str, Any]]


def write_state(state: State, path: str | os.PathLike[str]) -> None:
    """Write the state; a process that is killed meanwhile leaves the former file whole.

    Args:
        state: The state.
        path: A file, by custom ``NAME.npz``: numpy's format without pickle.

    Raises:
        InputError: If the file can't be written.
    """
    arrays: dict[str, Any] = {name: getattr(state, name) for name in ARRAYS}
    arrays |= {"format": _bytes(FORMAT), "history": _bytes(json.dumps(state.history, allow_nan=False))}
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_state(path: str | os.PathLike[str]) -> State:
    """Read a state, and check that it is whole.

    Args:
        path: The file.

    Returns:
        The state.

    Raises:
        InputError: If there is no such file, it is damaged or something else, or of another version.
    """
    told = Path(path).name
    try:
        with Path(path).open("rb") as file:
            if file.read(len(ZIP)) != ZIP:
                raise InputError(f"{told} holds no stored predictions; name {WRITTEN}")
            file.seek(0)
            found = np.load(file, allow_pickle=False)
            arrays = {name: found[name] for name in found.files}
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"there is no file {str(path)!r}; check the path") from error
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{told} can't be read as stored predictions ({why}); check that it is whole") from error
    if "format" not in arrays:
        raise InputError(f"{told} holds no stored predictions; name {WRITTEN}")
    version = _text(arrays["format"])
    if version != FORMAT:
        raise InputError(f"{told} is of the format {version!r}, this version of Segue reads {FORMAT!r}; update Segue")
    missing = [name for name in (*ARRAYS, "history") if name not in arrays]
    if missing:
        raise InputError(f"{told} lacks {', '.join(missing)}; check that it is whole")
    try:
        history = json.loads(_text(arrays["history"]))
    except ValueError as error:
        raise InputError(f"{told} has a history that can't be read; check that it is whole") from error
    state = State(**{name: arrays[name] for name in ARRAYS}, history=history)
    if wrong := _wrong(state):
        raise InputError(f"{told} contradicts itself ({wrong}); restore it from a copy")
    return state


def _wrong(state: State) -> str | None:
    samples, size = len(state.ids), len(state.classes)
    shapes = {
        "ids": (samples,), "classes": (size,), "labels": (samples,), "log_likelihood": (samples, size),
        "log_unknown": (samples,), "log_prior": (size,), "votes": (samples, size),
    }  # fmt: skip
    for name, shape in shapes.items():
        if getattr(state, name).shape != shape:
            return f"{name} has shape {getattr(state, name).shape} in place of {shape}"
    kinds = {"ids": "iuU", "classes": "iuU", "labels": "i", "log_likelihood": "f", "log_unknown": "f",
             "log_prior": "f", "votes": "u"}  # fmt: skip
    for name, kind in kinds.items():
        if getattr(state, name).dtype.kind not in kind:
            return f"{name} is of type {getattr(state, name).dtype}"
    if len(np.unique(state.ids)) < samples:
        return "ids repeat"
    if size < 2 or not np.array_equal(np.unique(state.classes), state.classes):
        return "classes repeat or are out of order"
    if samples == 0 or state.labels.min() < 0 or state.labels.max() >= size:
        return "a stored label is none of the classes"
    if not all(np.isfinite(part).all() for part in (state.log_likelihood, state.log_unknown, state.log_prior)):
        return "a probability is not finite"
    if not isinstance(state.history, list) or not all(isinstance(event, dict) for event in state.history):
        return "the history is no list of events"
    return None


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8"), np.uint8)


def _text(array: NDArray[Any]) -> str:
    return array.tobytes().decode("utf-8", errors="replace")
