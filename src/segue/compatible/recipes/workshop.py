"""Where an update's networks are trained and measured: each one once, and found again after a killed run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segue.compatible.class_maps import MOST_CLASSES
from segue.compatible.heads import FrozenHead
from segue.compatible.orthonormal_basis import OrthonormalBasis
from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.kept import Run, finished, keep, load
from segue.compatible.recipes.learner import Learner
from segue.compatible.recipes.loading import WithBasis
from segue.compatible.recipes.measuring import Measured, measure_new, refuse_too_deep
from segue.compatible.recipes.objective import Objective
from segue.compatible.recipes.old_side import OldSide
from segue.compatible.recipes.trying_out import check_made, dimension_of
from segue.compatible.recipes.update import StoredEmbeddings, Update, check_vectors
from segue.errors import InputError
from segue.retrieval import Relevance, query_values
from segue.training import TensorData, TrainingData, fit, outputs_of
from segue.training.glance import glance_at
from segue.training.identity import digest_of
from segue.training.rates import learning_rates
from segue.training.references import model_key
from segue.training.seeds import drawn_from, kept_globals

if TYPE_CHECKING:
    from lightning.fabric import Fabric

Made = TypeVar("Made")
CLIP = 5.0
"""Largest norm of a step's gradient where something holds the network to the old one."""


@dataclass
class Workshop:
    """Trains the networks of an update.

    Args:
        update: What is to be done.
        measure: What quality is, such as ``"cmc@1"`` or ``"map"``.
        folder: Where runs are kept; a run that was killed goes on from its checkpoint, one that is over is not
            repeated. By default a temporary folder.
        fabric: A launched Fabric of one process, for accelerators and precision.
        progress: Whether to show bars on stderr.

    Raises:
        InputError: If the data can't be read, a function of the update makes something else than it should, or the
            measure looks at more than there is.
    """

    update: Update
    measure: str = "cmc@1"
    folder: Path | None = None
    fabric: Fabric | None = None
    progress: bool = True
    runs: dict[str, Run] = field(default_factory=dict, init=False)
    """Every run that was asked for, in this order."""
    dimension: int = field(init=False)
    """Columns of a new network's embeddings."""

    def __post_init__(self) -> None:
        """Read the data.

        Raises:
            InputError: If they can't be read, a function of the update makes something else than it should, or the
                measure looks at more than there is.
        """
        if not isinstance(self.update, Update):
            raise InputError(f"update is a {type(self.update).__name__}; pass an Update of segue.compatible.recipes")
        self.train_data, self.validation_data = self.update.data()
        if self.fabric is not None and self.fabric.world_size > 1:
            raise InputError("fabric has several processes; compatible training runs in one, so pass devices=1")
        if self.folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="segue-")
        self.place = Path(self._temporary.name if self.folder is None else self.folder)
        first = self.fresh()
        check_made(self.update, first)
        if self.fresh() is first:
            raise InputError("build returns the same network each time; pass a function that makes a new one")
        self.dimension = dimension_of(first, self.train_data)
        refuse_too_deep(self.measure, len(self.validation_data))
        self._networks: dict[str, nn.Module] = {}
        self._held: dict[str, Measured] = {}

    @cached_property
    def labels(self) -> Tensor:
        """Labels of the training samples."""
        return _labels(self.train_data)

    @cached_property
    def classes(self) -> int:
        """Number of classes: one more than the largest label.

        Raises:
            InputError: If that is a number of something else than classes.
        """
        largest = int(self.labels.max())
        if largest >= MOST_CLASSES:
            raise InputError(
                f"train has the label {largest:,}, and a head has a row for each class up to the largest; number the "
                "classes 0, 1, ..."
            )
        return largest + 1

    @cached_property
    def relevance(self) -> Relevance:
        """Each validation sample searches all others.

        Raises:
            InputError: If no two of them are of one class.
        """
        labels = _labels(self.validation_data).numpy()
        found = Relevance.from_labels(labels, labels, exclude=np.arange(len(labels)))
        if not found.totals.any():
            raise InputError("validation has no two samples of one class, so that nothing can be found; hold more out")
        return found

    @cached_property
    def old(self) -> OldSide:
        """What the old model left behind on the training samples.

        Raises:
            InputError: If the old network's embeddings have no direction, or the old head is of another model.
        """
        known = torch.ones(len(self.train_data), dtype=torch.bool)
        asked = not isinstance(self.update.old, StoredEmbeddings)
        if isinstance(self.update.old, StoredEmbeddings):
            known = known if self.update.old.known is None else self.update.old.known.cpu()
            stored = self.update.old.train.detach().cpu()
            vectors = stored.to(torch.get_default_dtype()).where(known[:, None], torch.zeros(()))
        else:
            vectors = self._answers(self.update.old, self.train_data)
            check_vectors("the old network's embeddings of train", vectors)
        head = self.update.old_head
        if head is not None and head.dimension != vectors.shape[1]:
            raise InputError(
                f"old_head is for {head.dimension} dimensions and the old embeddings have {vectors.shape[1]}; pass the "
                "head of the model that made them"
            )
        return OldSide(vectors, known, self.labels, None if head is None else FrozenHead.of(head).cpu(), asked)

    @cached_property
    def old_validation(self) -> Tensor:
        """The old model's embeddings of the validation samples."""
        if isinstance(self.update.old, StoredEmbeddings):
            return self.update.old.validation.detach().cpu().float()
        found = self._answers(self.update.old, self.validation_data)
        check_vectors("the old network's embeddings of validation", found)
        return found

    @cached_property
    def old_old(self) -> NDArray[np.float64]:
        """Quality of the old model's queries on the old gallery, query by query."""
        vectors = self.old_validation.numpy()
        return query_values(self.measure, vectors, vectors, self.relevance)

    @property
    def steps(self) -> int:
        """Steps of a training."""
        return self.update.steps(len(self.train_data))

    @property
    def trainings(self) -> float:
        """Plain trainings that all runs so far amount to."""
        return sum(run.trainings for run in self.runs.values())

    @property
    def seconds(self) -> float:
        """Seconds of training of all runs so far, those of earlier calls included."""
        return sum(run.seconds for run in self.runs.values())

    def fresh(self, seed: int = 0) -> nn.Module:
        """Return a new network with fresh weights."""
        with drawn_from(self.update.seed, "weights", seed):
            return self.update.build()

    def drawn(self, key: str, make: Callable[[], Made]) -> Made:
        """Make something whose first weights are drawn, always the same ones for the same key.

        Args:
            key: What it is for.
            make: Makes it.

        Returns:
            What was made.
        """
        with drawn_from(self.update.seed, "drawn for", key):
            return make()

    def run(
        self,
        key: str,
        make: Callable[[], Objective],
        *,
        basis: OrthonormalBasis | None = None,
        told: Mapping[str, Tensor] | None = None,
        clip_norm: float | None = CLIP,
    ) -> Run:
        """Train a network, unless that was done before.

        Args:
            key: Name of the run; says all that is special about it.
            make: Returns the objective, with fresh heads.
            basis: What comes after the network, if something does.
            told: What the objective is told of each training sample, beside the old embeddings.
            clip_norm: Largest norm of a step's gradient.

        Returns:
            The run.

        Raises:
            InputError: If the folder holds a run of this name that was trained otherwise, or is damaged.
        """
        if key in self.runs:
            return self.runs[key]
        embedder = self.fresh() if basis is None else WithBasis(self.fresh(), basis)
        objective = self.drawn(key, make)
        reference = {**self.old.reference(), **(told or {})}
        identity = digest_of([self._identity, key, objective, embedder, clip_norm, digest_of(reference)])
        place = self.place / "runs" / key
        run = finished(place, identity)
        if run is None:
            run = self._train(key, Learner(embedder, objective), reference, clip_norm)
            keep(place, embedder, run, identity)
            shutil.rmtree(place / "checkpoint", ignore_errors=True)
            self._networks[key] = embedder.cpu().eval()
        else:
            self._networks[key] = load(place, embedder)
        self.runs[key] = run
        return run

    def network(self, run: Run) -> nn.Module:
        """Return the network of a run, in evaluation mode.

        Args:
            run: The run.

        Returns:
            The network: inputs to embeddings.
        """
        return self._networks[run.key]

    def embeddings(self, run: Run, part: str) -> Tensor:
        """Return what a run's network makes of the training or the validation samples.

        Args:
            run: The run.
            part: ``"train"`` or ``"validation"``.

        Returns:
            ``(n, d_new)``.
        """
        return self._answers(self.network(run), self.train_data if part == "train" else self.validation_data)

    def candidate(self, method: str, settings: Mapping[str, Any], run: Run, also: tuple[Run, ...] = ()) -> Candidate:
        """Measure the network of a run on the validation samples.

        Args:
            method: The method that made it.
            settings: Its settings.
            run: The run.
            also: Other trainings that it took.

        Returns:
            The candidate.

        Raises:
            InputError: If an embedding is not finite, or says nothing in the columns that search the old gallery.
        """
        self._measured(run).refuse_silent()
        return self.unconstrained(method, settings, run, also)

    def unconstrained(
        self, method: str, settings: Mapping[str, Any], run: Run, also: tuple[Run, ...] = ()
    ) -> Candidate:
        """Measure a network that nothing held to the old one.

        A query that says nothing in the columns that are compared with old embeddings finds nothing there.

        Args:
            method: The method that made it.
            settings: Its settings.
            run: The run.
            also: Other trainings that it took.

        Returns:
            The candidate.

        Raises:
            InputError: If an embedding is zero or not finite as a whole.
        """
        held = self._measured(run).values
        return Candidate(
            method,
            dict(settings),
            float(np.nanmean(held["new_old"])),
            float(np.nanmean(held["new_new"])),
            run.key,
            sum({one.key: one.trainings for one in (run, *also)}.values()),
            self.network(run),
            held,
        )

    def _measured(self, run: Run) -> Measured:
        if run.key not in self._held:
            new = self.embeddings(run, "validation")
            self._held[run.key] = measure_new(new, self.old_validation, self.measure, self.relevance)
        return self._held[run.key]

    @cached_property
    def _identity(self) -> str:
        update, fresh = self.update, self.fresh()
        optimizer = update.optimizer(fresh.parameters())
        schedule = None if update.schedule is None else update.schedule(optimizer, self.steps)
        rates = [] if schedule is None else [schedule.state_dict(), learning_rates(schedule, optimizer, self.steps)]
        precision = None if self.fabric is None else str(self.fabric.strategy.precision.precision)
        return digest_of(
            [
                *(glance_at(data) for data in (self.train_data, self.validation_data)),
                *(digest_of(one) for one in rates),
                *(model_key(fresh), repr(optimizer), update.epochs, update.batch_size, update.seed, self.labels),
                precision,
            ]
        )

    def _train(self, key: str, learner: Learner, told: Mapping[str, Tensor], clip_norm: float | None) -> Run:
        update = self.update
        optimizer = update.optimizer(learner.parameters())
        history = fit(
            learner,
            self.train_data,
            learner.objective,
            optimizer=optimizer,
            schedule=None if update.schedule is None else update.schedule(optimizer, self.steps),
            epochs=update.epochs,
            batch_size=update.batch_size,
            reference=told,
            seed=update.seed,
            clip_norm=clip_norm,
            checkpoint=None if self.folder is None else self.place / "runs" / key / "checkpoint",
            fabric=self.fabric,
            progress=self.progress,
            name=key,
        )
        return Run(key, history.seconds, 1.0)

    def _answers(self, network: nn.Module, data: TrainingData) -> Tensor:
        if self.fabric is not None:
            network.to(self.fabric.device)
        found = outputs_of(network, data)
        network.cpu()
        return found


def _labels(data: TrainingData) -> Tensor:
    if isinstance(data, TensorData):
        return data.labels
    with kept_globals():
        return torch.cat([batch.labels for batch in data.plain(torch.split(torch.arange(len(data)), 512))])
