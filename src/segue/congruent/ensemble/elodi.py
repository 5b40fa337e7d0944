"""ELODI: distil a homogeneous ensemble into one student, in every generation (Zhao et al., TPAMI 2024)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from segue.congruent.ensemble.members import (
    Build,
    MakeOptimizer,
    MakeSchedule,
    built,
    member_logits,
)
from segue.congruent.ensemble.objective import ElodiObjective
from segue.congruent.losses.base import CongruentLoss
from segue.training import History, Validation, fit, outputs_of
from segue.training.data import as_data
from segue.training.seeds import derive


@dataclass(frozen=True, eq=False)
class Generation:
    """One generation of ELODI.

    Attributes:
        student: The model to deploy: the cost of one model at prediction time.
        history: Its training.
        reference: What it was distilled from, logits ``(n, classes)`` of the training samples.
    """

    student: nn.Module
    history: History
    reference: Tensor


@dataclass(frozen=True, eq=False)
class Elodi:
    r"""The recipe of one generation: train ``members`` models with different seeds, distil their mean into a student.

    .. math:: \bar z = \frac{1}{M} \sum_m z_m, \qquad L = (1 - \alpha) \, L_{CE} + \alpha \, L_{LDI}(z, \bar z)

    By default eight members and :class:`segue.congruent.ensemble.ElodiObjective`, as in the code beside the paper.
    Nothing in a generation
    looks at another one: means of ensembles lie close to each other, and each student lies close to its mean. **The old
    model must therefore come from the same recipe**; a student whose predecessor was trained plainly gains less (from
    memory of the paper, not confirmed).

    A generation costs ``members + 1`` trainings, one forward pass of each member over the data, and no more at
    prediction time than a plain model.

    Args:
        build: Returns a new model with fresh weights, drawn from torch's global generator; members and student are
            of this one architecture.
        optimizer: From a model's parameters to an optimiser; of members and student.
        epochs: Passes over the data; of members and student.
        members: How many models the reference is the mean of.
        batch_size: Samples per step.
        schedule: From an optimiser and the number of steps to a schedule that is stepped after each step.
        loss: The student's objective.
        clip_norm: What the norm of the student's gradient is cut to in each step; ``None`` for no limit. Squared
            differences of logits have large gradients at first: without a limit, a learning rate that suits the members
            can ruin the student.
        seed: Seed of all that chance decides; give each generation its own.
    """

    build: Build
    optimizer: MakeOptimizer
    epochs: int
    members: int = 8
    batch_size: int = 128
    schedule: MakeSchedule | None = None
    loss: CongruentLoss = field(default_factory=ElodiObjective)
    clip_norm: float | None = 1.0
    seed: int = 0

    def generation(
        self,
        data: Any,
        *,
        validation: Validation | None = None,
        folder: str | Path | None = None,
        data_key: str | None = None,
        progress: bool = True,
    ) -> Generation:
        """Train one generation.

        Args:
            data: A pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
            validation: Held-out samples to watch.
            folder: Where what finished members said is kept, so that a killed run does not train them again; the
                student always is.
            data_key: What the data are called, for datasets that are not tensors in memory.
            progress: Whether to show a bar on stderr, if it is a terminal.

        Returns:
            The student with its history and reference.

        Raises:
            InputError: If an argument is not as described.
        """
        samples = as_data(data)
        logits = member_logits(
            self.build,
            samples,
            members=self.members,
            optimizer=self.optimizer,
            epochs=self.epochs,
            batch_size=self.batch_size,
            schedule=self.schedule,
            seed=self.seed,
            validation=validation,
            folder=folder,
            data_key=data_key,
            progress=progress,
        )
        return self.distil(samples, logits.mean(dim=0), validation=validation, progress=progress)

    def distil(
        self,
        data: Any,
        reference: Tensor | nn.Module,
        *,
        validation: Validation | None = None,
        progress: bool = True,
    ) -> Generation:
        """Distil an ensemble that is there already into a new student.

        Args:
            data: The training data.
            reference: The ensemble's mean logits on them, ``(n, classes)``; or the ensemble itself, such as a
                :class:`segue.congruent.ensemble.LogitEnsemble`, which is then asked about every batch as it is
                augmented.
            validation: Held-out samples to watch.
            progress: Whether to show a bar on stderr, if it is a terminal.

        Returns:
            The student with its history and reference (of an ensemble: its logits on the samples as they are).

        Raises:
            InputError: If the reference does not fit the data.
        """
        samples = as_data(data)
        own = derive(self.seed, "student")
        student = built(self.build, own)
        stepped = self.optimizer(student.parameters())
        steps = self.epochs * -(-len(samples) // self.batch_size)
        history = fit(
            student,
            samples,
            self.loss,
            optimizer=stepped,
            schedule=None if self.schedule is None else self.schedule(stepped, steps),
            epochs=self.epochs,
            batch_size=self.batch_size,
            reference=reference,
            validation=validation,
            seed=own,
            clip_norm=self.clip_norm,
            progress=progress,
            name="student",
        )
        said = reference if isinstance(reference, Tensor) else outputs_of(reference, samples)
        return Generation(student, history, said)
