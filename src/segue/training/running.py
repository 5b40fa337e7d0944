"""A training under way: step by step to the end of an epoch, looking, watching and keeping where it is due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from segue.errors import DivergedError
from segue.training.checkpoint import Checkpoints, Place
from segue.training.data import TensorData, TrainingData
from segue.training.history import Epoch
from segue.training.plan import Plan
from segue.training.processes import gathered, save
from segue.training.progress import Bar
from segue.training.step import Stepper
from segue.training.validation import Validation

if TYPE_CHECKING:
    from lightning.fabric import Fabric


@dataclass(frozen=True)
class Training:
    """A training under way.

    Attributes:
        plan: Which samples come in which step.
        samples: The data.
        stepper: What takes one step.
        validation: Held-out samples to watch, if there are any.
        checkpoints: Where the training is kept, if it is.
        every: Steps between two checkpoints.
        looks: Steps between two looks at the loss.
        shown: The bar.
        interrupted: Whether Ctrl-C was pressed.
    """

    plan: Plan
    samples: TrainingData
    stepper: Stepper
    validation: Validation | None
    checkpoints: Checkpoints | None
    every: int
    looks: int
    shown: Bar
    interrupted: Callable[[], bool]

    @property
    def process(self) -> Fabric:
        """The launched Fabric."""
        return self.stepper.process

    def epoch(self, place: Place) -> Place:
        """Train to the end of the epoch that a place is in.

        Args:
            place: Where the training stands.

        Returns:
            Where it stands then.

        Raises:
            InputError: If the loss is not finite, or a checkpoint can't be written.
            KeyboardInterrupt: If Ctrl-C was pressed.
        """
        began, number = time.perf_counter(), place.steps // self.plan.per_epoch
        steps = self.plan.rest_of_epoch(place.steps, self.process.global_rank, self.process.world_size)
        own = [share.index for shares in steps for share in shares]
        batches = self.samples.batches(own, self.plan.seed, number)
        total = self._own_sum(place)
        self.stepper.model.train()
        for shares in steps:
            total += self.stepper.step(place.steps, shares, batches)
            place = replace(place, steps=place.steps + 1)
            self.shown.step(place.steps)
            ended = place.steps % self.plan.per_epoch == 0
            if ended or place.steps % self.looks == 0:
                place = self._looked(place, total)
            if ended:
                place = self._watched(place, time.perf_counter() - began)
            stopped = self.interrupted()
            if self.checkpoints is not None and (stopped or self._due(place)):
                save(self.process, self.checkpoints, place if ended else self._looked(place, total))
            if stopped:
                raise KeyboardInterrupt(
                    f"stopped after step {place.steps:,} of {self.plan.steps:,}; call again to go on"
                )
        return place

    def _due(self, place: Place) -> bool:
        return place.steps % self.every == 0 or place.steps == self.plan.steps

    def _own_sum(self, place: Place) -> Tensor:
        world, rank = self.process.world_size, self.process.global_rank
        sums = place.loss_sums if len(place.loss_sums) == world else (sum(place.loss_sums), *[0.0] * (world - 1))
        exact = torch.float32 if self.process.device.type == "mps" else torch.float64
        return torch.tensor(sums[rank], dtype=exact, device=self.process.device)

    def _looked(self, place: Place, total: Tensor) -> Place:
        sums = tuple(gathered(self.process, total).tolist())
        if not math.isfinite(sum(sums)):
            raise DivergedError(f"the loss is not finite at step {place.steps}; {_reason(self.samples)}")
        begun = (place.steps - 1) // self.plan.per_epoch * self.plan.per_epoch
        seen = min((place.steps - begun) * self.plan.batch_size, self.plan.samples)
        self.shown.step(place.steps, sum(sums) / seen)
        return replace(place, loss_sums=sums)

    def _watched(self, place: Place, seconds: float) -> Place:
        accuracy = flips = None
        if self.validation is not None:
            accuracy, flips = self.validation.measure(self.stepper.model, self.process.device, self.process)
        epoch = Epoch(
            epoch=len(place.epochs) + 1,
            steps=place.steps,
            loss=sum(place.loss_sums) / self.plan.samples,
            rate=float(self.stepper.optimizer.param_groups[0]["lr"]),
            seconds=seconds,
            accuracy=accuracy,
            negative_flip_rate=flips,
        )
        self.shown.epoch(epoch)
        return replace(place, loss_sums=(), epochs=(*place.epochs, epoch))


def _reason(samples: TrainingData) -> str:
    # what to do about a loss that is not finite
    if isinstance(samples, TensorData):
        named = samples.inputs if isinstance(samples.inputs, Mapping) else {"inputs": samples.inputs}
        for name, tensor in named.items():
            if len(strange := (~torch.isfinite(tensor)).flatten(1).any(dim=1).nonzero()):
                return f"{name} has values that are not finite, first at sample {int(strange[0])}"
    return "lower the learning rate, or look for values that are not finite in inputs and references"
