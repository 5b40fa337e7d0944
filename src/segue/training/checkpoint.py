"""A training on disk: weights as safetensors, optimiser and schedule beside them, each checkpoint whole or absent."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn

from segue.errors import InputError
from segue.training.history import Epoch

_WHOLE = re.compile(r"^step-\d{9}$")
_ANY = re.compile(r"^step-\d{9}(\.part)?$")


@dataclass(frozen=True)
class Place:
    """Where a training stands between two steps.

    Attributes:
        steps: Optimiser steps done.
        loss_sums: Sum of the losses of the current epoch's samples, of each process.
        epochs: The epochs that are over.
    """

    steps: int = 0
    loss_sums: tuple[float, ...] = ()
    epochs: tuple[Epoch, ...] = ()


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training in a folder of their own; the newest whole one is kept.

    Attributes:
        folder: Where they lie.
        run: What makes this run the same run, by name.
        model: The model.
        stateful: What else has a state, by name: optimiser, schedule, precision.
    """

    folder: Path
    run: Mapping[str, Any]
    model: nn.Module
    stateful: Mapping[str, Any]

    def check(self) -> None:
        """Find out before the training whether it can be kept.

        Raises:
            InputError: If the folder can't be written, or a state can't be read back from a file.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise InputError(
                f"checkpoint folder {str(self.folder)!r} can't be written ({error.strerror}); name another folder"
            ) from error
        for name, part in self.stateful.items():
            held = io.BytesIO()
            try:
                torch.save(part.state_dict(), held)
                held.seek(0)
                torch.load(held, weights_only=True)
            except (pickle.PickleError, AttributeError, TypeError, RuntimeError) as error:
                raise InputError(
                    f"the state of the {name} ({type(part).__name__}) can't be kept in a checkpoint, since it holds "
                    f"more than tensors and plain numbers; leave checkpoint out, or pass another {name}"
                ) from error

    def save(self, place: Place) -> None:
        """Write a checkpoint, then remove the older ones. While it is written, both take room on the disk.

        Args:
            place: Where the training stands.

        Raises:
            InputError: If the disk does not take it; the checkpoint before this one is still there then.
        """
        whole = self.folder / f"step-{place.steps:09d}"
        beside = whole.with_suffix(".part")
        try:
            if not whole.is_dir():  # a run is a function of its seed: one of the same step is the same
                shutil.rmtree(beside, ignore_errors=True)
                beside.mkdir(parents=True)
                self._write(beside, place)
                beside.replace(whole)
                _to_disk(self.folder)
        except (OSError, RuntimeError, SafetensorError) as error:
            shutil.rmtree(beside, ignore_errors=True)
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise InputError(
                f"the checkpoint of step {place.steps} can't be written to {str(self.folder)!r} ({reason}); make room "
                f"for two checkpoints there, or name another folder"
            ) from error
        for older in self.folder.iterdir():
            if older != whole and _ANY.match(older.name):
                _remove(older)

    def _write(self, beside: Path, place: Place) -> None:
        save_model(self.model, str(beside / "model.safetensors"))
        torch.save({name: part.state_dict() for name, part in self.stateful.items()}, beside / "states.pt")
        told = json.dumps({"run": dict(self.run), "place": asdict(place)}, indent=1)
        (beside / "place.json").write_text(told, encoding="utf-8")
        for path in (*beside.iterdir(), beside):
            _to_disk(path)

    def load(self) -> Place:
        """Put model, optimiser and what else has a state back to where the newest checkpoint left them.

        Returns:
            Where the training stands: at its beginning, where there is no checkpoint.

        Raises:
            InputError: If the checkpoint is of another run, or can't be read.
        """
        found = sorted(path for path in self.folder.iterdir() if _WHOLE.match(path.name))
        if not found:
            return Place()
        newest = found[-1]
        try:
            return self._read(newest)
        except InputError:
            raise
        except (
            OSError,
            LookupError,
            ValueError,
            TypeError,
            RuntimeError,
            EOFError,
            pickle.PickleError,
            SafetensorError,
        ) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"the checkpoint in {str(newest)!r} can't be read ({reason}); remove it to begin anew"
            ) from error

    def _read(self, newest: Path) -> Place:
        told = json.loads((newest / "place.json").read_text(encoding="utf-8"))
        self._check_run(newest, told["run"])
        states = torch.load(newest / "states.pt", weights_only=True, map_location="cpu")
        load_model(self.model, str(newest / "model.safetensors"))
        for name, part in self.stateful.items():
            part.load_state_dict(states[name])
        place = told["place"]
        return Place(place["steps"], tuple(place["loss_sums"]), tuple(Epoch(**epoch) for epoch in place["epochs"]))

    def _check_run(self, newest: Path, kept: Mapping[str, Any]) -> None:
        for name in [*self.run, *kept]:
            before, now = kept.get(name), self.run.get(name)
            if before != now:
                raise InputError(
                    f"the checkpoint in {str(newest)!r} is of another run: its {name} was {_short(before)}, and is "
                    f"{_short(now)} here; name another folder, or remove this one"
                )


def _short(value: Any) -> str:
    return "absent" if value is None else str(value)


def _remove(folder: Path) -> None:
    # Its name goes first: half a checkpoint must not look like one.
    doomed = folder.with_suffix(".part")
    try:
        folder.replace(doomed)
    except OSError:
        return
    shutil.rmtree(doomed, ignore_errors=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
