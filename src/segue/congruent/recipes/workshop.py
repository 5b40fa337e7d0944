"""Where an update's models are trained: each one once, kept on disk, timed, and found again after a killed run."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.claim import claim, data_key, told_update
from segue.congruent.recipes.origin import Origin, origin_of
from segue.congruent.recipes.predictors import Predictor, Single
from segue.congruent.recipes.runs import Run, Training, alone, save_logits, write_told
from segue.congruent.recipes.update import StoredLogits, Update
from segue.errors import DivergedError, InputError
from segue.flips.counts import N_CELLS, Counts, cell_of
from segue.training import Batch, TensorData, Validation, cached_outputs, fit, outputs_of
from segue.training.references import Reference
from segue.training.seeds import drawn_from, generator, kept_globals

if TYPE_CHECKING:
    from lightning.fabric import Fabric


LOOKED_AT = 64  # samples on which a wider network must answer like the old one


@dataclass
class Workshop:
    """Trains the models of an update.

    Args:
        update: What is to be done.
        folder: Where runs are kept; a run that was killed goes on from its checkpoint, one that is over is not
            repeated. By default a temporary folder.
        fabric: A launched Fabric, for accelerators and precision.
        progress: Whether to show bars on stderr.

    Raises:
        InputError: If the data can't be read, or the folder belongs to another update or can't be written.
    """

    update: Update
    folder: Path | None = None
    fabric: Fabric | None = None
    progress: bool = True
    runs: dict[str, Run] = field(default_factory=dict, init=False)
    """Every run that was asked for, in this order."""
    diverged: list[str] = field(default_factory=list, init=False)
    """What was said of the trainings of sweeps that diverged."""
    failed: dict[str, Run] = field(default_factory=dict, init=False)
    """What these trainings cost."""

    def __post_init__(self) -> None:
        """Read the data and claim the folder.

        Raises:
            InputError: If the data can't be read, ``build`` makes no new model, or the folder is another update's.
        """
        if not isinstance(self.update, Update):
            raise InputError(f"update is a {type(self.update).__name__}; pass an Update of segue.congruent.recipes")
        self.train_data, self.validation_data = self.update.data()
        if self.folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="segue-")
        self.place = Path(self._temporary.name if self.folder is None else self.folder)
        if self.fresh(0) is self.fresh(0):
            raise InputError("build returns the same model each time; pass a function that makes a new one")
        self.claimed = claim(self.place, told_update(self.update, self.train_data, self.validation_data, self.fresh(0)))

    @cached_property
    def old_train(self) -> Tensor:
        """The old model's logits on the training samples."""
        return self._old_logits("train")

    @cached_property
    def old_validation(self) -> Tensor:
        """The old model's logits on the validation samples."""
        found = self._old_logits("validation")
        self.update.check_classes(found.shape[1], self.fresh_classes)
        return found

    @cached_property
    def watched(self) -> Validation:
        """The validation samples, with the old model's answers."""
        return Validation(self.validation_data, self.update.answers_in_new_classes(self.old_validation))

    @property
    def labels(self) -> Tensor:
        """Labels of the validation samples."""
        return self.watched.labels

    @cached_property
    def fresh_classes(self) -> int:
        """Number of classes of a new model."""
        first = self._samples(torch.arange(min(2, len(self.train_data))))
        return outputs_of(self.fresh(0), (first.inputs, first.labels)).shape[1]

    def recalibration(self, model: nn.Module, samples: int = 2048) -> TensorData | None:
        """Return training inputs for BatchNorm statistics, or ``None`` where the model has none.

        Args:
            model: The model.
            samples: How many, at most.

        Returns:
            Training samples without augmentation, the same each time.
        """
        if not any(isinstance(layer, _BatchNorm) for layer in model.modules()):
            return None
        chosen = torch.randperm(len(self.train_data), generator=generator(self.update.seed, "recalibration"))[:samples]
        batch = self._samples(chosen)
        return TensorData(batch.inputs, batch.labels)

    @cached_property
    def can_inherit(self) -> bool:
        """Whether a new model can begin from the old one's weights."""
        return not self.obstacle

    @cached_property
    def obstacle(self) -> str:
        """Why a new model can't begin from the old one's weights; empty where it can."""
        try:
            _ = self.origin
        except InputError as error:
            return str(error)
        return ""

    @cached_property
    def origin(self) -> Origin:
        """The old model among the new architecture's weights.

        Raises:
            InputError: If the architectures differ otherwise than in width, or there is no old model but only its
                logits.
        """
        if isinstance(self.update.old, StoredLogits):
            raise InputError("there are only the old model's logits, no weights to begin from")
        seen = self._samples(torch.arange(min(LOOKED_AT, len(self.train_data))))
        return origin_of(
            self.update.old, self.fresh(0), TensorData(seen.inputs, seen.labels), self.grown_map, self.update.head
        )

    @property
    def grown_map(self) -> list[int] | None:
        """The class map where old and new heads differ in shape or order, else ``None``."""
        classes = self.update.class_map
        new = self.fresh_classes
        same = classes is None or list(classes) == list(range(new))
        return None if same else list(classes or ())

    @property
    def trainings(self) -> float:
        """Plain trainings that all runs so far amount to; one that diverged counts in full."""
        return sum(run.trainings for run in (*self.runs.values(), *self.failed.values()))

    @property
    def seconds(self) -> float:
        """Seconds of training of all runs so far, those of earlier calls included."""
        return sum(run.seconds for run in (*self.runs.values(), *self.failed.values()))

    def fresh(self, seed: int) -> nn.Module:
        """Return a new model with fresh weights."""
        with drawn_from(self.update.seed, "weights", seed):
            return self.update.build()

    def inherited(self) -> nn.Module:
        """Return a new model that begins with the old one's weights; rows of new classes and new units are fresh.

        Returns:
            The model.

        Raises:
            InputError: If the architectures differ otherwise than in width, or there is no old model but only its
                logits.
        """
        return self.origin.towards(self.fresh(0), 1.0)

    def run(
        self,
        key: str,
        objective: Callable[..., Tensor],
        *,
        reference: Reference | Mapping[str, Reference] | None = None,
        start: Callable[[], nn.Module] | None = None,
        seed: int = 0,
        fine_tuning: bool = False,
        clip_norm: float | None = None,
        patience: int = 1,
    ) -> Run:
        """Train a model, unless that was done before.

        Args:
            key: Name of the run; says all that is special about it.
            objective: The loss.
            reference: What it is compared with.
            start: Returns the model to begin from; by default fresh weights.
            seed: Seed of weights, order, augmentation and dropout, beside the update's own.
            fine_tuning: Whether to use the update's optimiser for fine-tuning.
            clip_norm: Largest norm of a step's gradient, for losses that are much steeper than cross-entropy.
            patience: How many times as many epochs as the update's.

        Returns:
            The run.

        Raises:
            InputError: If the folder holds a run of this name that was trained otherwise.
            DivergedError: If the loss is not finite, or was not when this run was tried before.
        """
        if key not in self.runs:
            training = Training(
                objective, reference, None if start is None else start(), seed, fine_tuning, clip_norm, patience
            )
            told = training.told(self.claimed)
            found = self._finished(key, told)
            if found is None:
                with self._alone(key):
                    found = self._finished(key, told) or self._train(key, told, training)
            self.runs[key] = found
        return self.runs[key]

    def model(self, run: Run) -> nn.Module:
        """Return the model of a run, in evaluation mode.

        Args:
            run: The run.

        Returns:
            A model of its own: changing it changes nothing else.
        """
        model = self.fresh(0)
        load_model(model, str(self.place / "runs" / run.key / "model.safetensors"))
        return model.eval()

    def logits(self, run: Run, part: str) -> Tensor:
        """Return a run's logits on the training or the validation samples, computed once.

        Args:
            run: The run.
            part: ``"train"`` or ``"validation"``.

        Returns:
            ``(n, classes)``.
        """
        kept = self.place / "runs" / run.key / f"{part}.npy"
        if not kept.exists():
            data = self.train_data if part == "train" else self.validation_data
            model = self.model(run)
            if self._device is not None:
                model.to(self._device)
            save_logits(kept, outputs_of(model, data).numpy())
        return torch.from_numpy(np.load(kept, allow_pickle=False))

    def candidate(
        self,
        method: str,
        settings: Mapping[str, Any],
        predictor: Predictor,
        runs: tuple[Run, ...],
        logits: Tensor | None = None,
    ) -> Candidate:
        """Measure a candidate on the validation samples.

        Args:
            method: The method that made it.
            settings: Its settings.
            predictor: What answers.
            runs: The trainings that it takes.
            logits: Its logits on the validation samples, where they are known.

        Returns:
            The candidate.
        """
        found = predictor.logits(self.validation_data, self.old_validation) if logits is None else logits
        each = {run.key: run for run in runs}
        trainings = sum(run.trainings for run in each.values())
        return Candidate(method, dict(settings), self.counts(found), trainings, predictor, tuple(each))

    def single(self, method: str, settings: Mapping[str, Any], run: Run, also: tuple[Run, ...] = ()) -> Candidate:
        """Measure the model of one run as a candidate.

        Args:
            method: The method that made it.
            settings: Its settings.
            run: The run.
            also: Other trainings that it took.

        Returns:
            The candidate.
        """
        logits = self.logits(run, "validation")
        return self.candidate(method, settings, Single(lambda: self.model(run)), (run, *also), logits)

    def counts(self, logits: Tensor) -> Counts:
        """Count the flips of logits on the validation samples.

        Args:
            logits: ``(n, classes)``.

        Returns:
            The five counts.
        """
        old = self.update.answers_in_new_classes(self.old_validation)
        new = logits.argmax(dim=1)
        cells = cell_of(*((one.numpy()) for one in (old == self.labels, new == self.labels, old == new)))
        return Counts(*(int(count) for count in np.bincount(cells, minlength=N_CELLS)))

    @property
    def _device(self) -> torch.device | None:
        return None if self.fabric is None else self.fabric.device

    def _train(self, key: str, identity: str, training: Training) -> Run:
        update, place, patience = self.update, self.place / "runs" / key, training.patience
        model = self.fresh(training.seed) if training.start is None else training.start
        own = update.fine_tuning if training.fine_tuning else None
        make = update.optimizer if own is None else own
        optimizer = make(model.parameters())
        steps = patience * update.steps(len(self.train_data))
        began = time.perf_counter()
        try:
            history = fit(
                model,
                self.train_data,
                training.objective,
                optimizer=optimizer,
                schedule=None if update.schedule is None else update.schedule(optimizer, steps),
                epochs=patience * update.epochs,
                batch_size=update.batch_size,
                reference=training.reference,
                validation=self.watched,
                seed=update.seed + training.seed,
                clip_norm=training.clip_norm,
                checkpoint=place / "checkpoint",
                fabric=self.fabric,
                progress=self.progress,
                name=key,
            )
        except DivergedError as error:  # it would again: a later call need not try
            self.failed[key] = run = Run(key, time.perf_counter() - began, float(patience))
            told = {"training": identity, "error": f"{key}: {error}", "seconds": run.seconds, "trainings": patience}
            write_told(place / "diverged.json", told)
            shutil.rmtree(place / "checkpoint", ignore_errors=True)
            raise DivergedError(told["error"]) from error
        except ValueError as error:
            if "Tried to step" not in str(error):
                raise
            raise InputError(
                f"{key}: the schedule ended before the training did; build it from the number of steps, its second "
                f"argument, which is {steps} here"
            ) from error
        run = Run(key, history.seconds, float(patience))
        save_model(model, str(place / "model.safetensors"))
        history.save(place / "history.json")
        told = {"key": key, "seconds": run.seconds, "trainings": run.trainings, "training": identity}
        write_told(place / "run.json", told)  # last: a run without it is not over
        shutil.rmtree(place / "checkpoint", ignore_errors=True)
        return run

    @contextmanager
    def _alone(self, key: str) -> Generator[None, None, None]:
        if self.fabric is not None and self.fabric.world_size > 1:  # those that train a run together take no lock
            yield
            return
        with alone(self.place, key):
            yield

    def _samples(self, index: Tensor) -> Batch:
        with kept_globals():  # a dataset's samples are drawn from the global generators
            return next(iter(self.train_data.plain([index])))

    def _finished(self, key: str, identity: str) -> Run | None:
        kept = self.place / "runs" / key / "run.json"
        failed = kept.with_name("diverged.json")
        if failed.exists() and (told := json.loads(failed.read_text(encoding="utf-8")))["training"] == identity:
            self.failed[key] = Run(key, told["seconds"], told["trainings"])
            raise DivergedError(f"{told['error']} (so it was in an earlier call; remove {str(failed)!r} to try again)")
        if not kept.exists():
            return None
        told = json.loads(kept.read_text(encoding="utf-8"))
        if told.pop("training", None) != identity:
            raise InputError(
                f"{str(kept.parent)!r} was trained with another loss or other settings, perhaps by another version of "
                f"Segue; remove it to train it anew, or name another folder"
            )
        return Run(**told)

    def _old_logits(self, part: str) -> Tensor:
        old = self.update.old
        if isinstance(old, StoredLogits):
            return (old.train if part == "train" else old.validation).detach().cpu()
        data = self.train_data if part == "train" else self.validation_data
        key = data_key(data, part)
        return cached_outputs(old, data, folder=self.place / "old", data_key=key, device=self._device)
