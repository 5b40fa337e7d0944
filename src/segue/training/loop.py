"""The training loop: model, data, loss, optimiser and schedule in; the trained model and its history out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training import checkpoint as checkpoints
from segue.training.data import Batch, TrainingData, as_data
from segue.training.forward import Inputs, call, logits_of, on_device
from segue.training.frozen import Frozen
from segue.training.history import Epoch, History
from segue.training.progress import Bar, bar
from segue.training.references import Reference
from segue.training.seeds import drawn_from, generator
from segue.training.validation import Validation

if TYPE_CHECKING:
    from lightning.fabric import Fabric
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

Loss = Callable[..., Tensor]


def fit(
    model: nn.Module,
    data: Any,
    loss: Loss,
    *,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 128,
    schedule: LRScheduler | None = None,
    reference: Reference | Mapping[str, Reference] | None = None,
    validation: Validation | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | None = None,
    fabric: Fabric | None = None,
    workers: int = 0,
    deterministic: bool = True,
    progress: bool = True,
    name: str = "training",
) -> History:
    """Train a model.

    All chance (order, augmentation, dropout) is a function of ``seed``, the epoch, the step and the sample, so that a
    run that was killed and goes on from its checkpoint ends, on the CPU, with the same weights bit for bit as one left
    alone, and two processes see the same global batches as one.

    Args:
        model: The model; trained in place, and left in evaluation mode.
        data: A pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
        loss: ``loss(logits, labels)``, or with a reference ``loss(logits, reference_logits, labels)``; a scalar, the
            mean over the batch's samples.
        optimizer: An optimiser over the model's parameters.
        epochs: Passes over the data.
        batch_size: Samples per step, of all processes together.
        schedule: A learning rate schedule over the optimiser; stepped after every step, not every epoch.
        reference: What a frozen model says. Logits ``(samples, classes)`` are looked up by the sample's index (see
            ``cached_outputs``); a model is frozen and asked about each batch as it is augmented. A mapping of such gives
            the loss a mapping of logits.
        validation: Held-out samples to watch after each epoch.
        seed: Seed of order, augmentation and dropout; the first weights are the caller's.
        checkpoint: Folder for checkpoints; where it holds one of this run, the training goes on from there.
        checkpoint_every: Steps between two checkpoints; by default one at the end of each epoch.
        fabric: A launched Fabric, for accelerators, precision and several processes; by default one process on the
            best device there is.
        workers: Processes that load samples, for datasets that are not tensors.
        deterministic: Whether torch may only use deterministic algorithms.
        progress: Whether to show a bar on stderr, if it is a terminal.
        name: What is trained, for the bar.

    Returns:
        What happened, epoch by epoch.

    Raises:
        InputError: If an argument is out of its range, a checkpoint belongs to another run, or the loss is not finite.

    Example:
        >>> line, points = nn.Linear(1, 2), (torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
        >>> descent = torch.optim.SGD(line.parameters(), lr=1.0)
        >>> history = fit(line, points, nn.CrossEntropyLoss(), optimizer=descent, epochs=20, validation=Validation(points))
        >>> history.epochs[-1].accuracy
        1.0
    """
    check_run(epochs, batch_size, checkpoint_every)
    samples = as_data(data, workers=workers)
    process = fabric or one_process()
    references = frozen_references(reference, len(samples))
    trained, stepped = process.setup(model, optimizer)
    for part in references.values():
        if isinstance(part, Frozen):
            part.to(process.device)
    training = _Training(
        model=trained,
        optimizer=stepped,
        schedule=schedule,
        loss=loss,
        samples=samples,
        references=references,
        named=isinstance(reference, Mapping),
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        process=process,
    )
    run = {"seed": seed, "epochs": epochs, "batch_size": batch_size, "samples": len(samples)}
    place = checkpoints.Place(0, 0.0, (), run)
    folder = None if checkpoint is None else Path(checkpoint)
    if folder is not None and (found := checkpoints.latest(folder)) is not None:
        place = checkpoints.load(found, model, optimizer, schedule, run)
    begun, every = place.steps, checkpoint_every or training.per_epoch
    with _algorithms(deterministic), bar(name, training.steps, progress and process.is_global_zero) as shown:
        while place.steps < training.steps:
            for place in training.epoch(place, shown):
                if place.steps % training.per_epoch == 0:
                    place = _watched(place, validation, trained, process.device)
                    shown.epoch(place.epochs[-1])
                if folder is not None and (place.steps % every == 0 or place.steps == training.steps):
                    if process.is_global_zero:
                        checkpoints.save(folder, model, optimizer, schedule, place)
                    process.barrier()
    model.eval()
    return History(place.epochs, begun)


@dataclass(frozen=True)
class _Training:
    model: Any
    optimizer: Any
    schedule: LRScheduler | None
    loss: Loss
    samples: TrainingData
    references: Mapping[str, Tensor | Frozen]
    named: bool
    batch_size: int
    epochs: int
    seed: int
    process: Fabric

    @property
    def per_epoch(self) -> int:
        return -(-len(self.samples) // self.batch_size)

    @property
    def steps(self) -> int:
        return self.epochs * self.per_epoch

    def epoch(self, place: checkpoints.Place, shown: Bar) -> Iterator[checkpoints.Place]:
        """Train to the end of the epoch that ``place`` is in, and yield where the training stands after each step."""
        number, skipped = divmod(place.steps, self.per_epoch)
        order = torch.randperm(len(self.samples), generator=generator(self.seed, "order", number))
        whole = torch.split(order, self.batch_size)[skipped:]
        shares = [self._share(indices) for indices in whole]
        rank, world = self.process.global_rank, self.process.world_size
        began = time.perf_counter()
        seconds, total = 0.0, torch.tensor(place.loss_sum, dtype=torch.float64)
        self.model.train()
        for indices, batch in zip(whole, self.samples.batches(shares, self.seed, number), strict=True):
            counted = len(indices[rank::world])  # 0 where the last batch has fewer samples than there are processes
            with drawn_from(self.seed, "step", place.steps, rank):
                value = self._step(batch, counted * world / len(indices))
            total += value.double().cpu() * counted
            place = replace(place, steps=place.steps + 1, loss_sum=total.item())
            if not math.isfinite(place.loss_sum):
                raise InputError(
                    f"the loss is {value.item()} at step {place.steps}; lower the learning rate, or look for values "
                    f"that are not finite in inputs and references"
                )
            shown.step(place.steps, value.item())
            if place.steps % self.per_epoch == 0:
                seconds = time.perf_counter() - began
                mean = self._summed(total) / len(self.samples)
                rate = float(self.optimizer.param_groups[0]["lr"])
                done = Epoch(number + 1, place.steps, mean, rate, seconds)
                place = replace(place, loss_sum=0.0, epochs=(*place.epochs, done))
            yield place

    def _step(self, batch: Batch, share: float) -> Tensor:
        inputs = on_device(batch.inputs, self.process.device)
        labels = batch.labels.to(self.process.device)
        self.optimizer.zero_grad()
        logits = logits_of(call(self.model, inputs))
        if self.references:
            told = {name: self._asked(part, batch, inputs) for name, part in self.references.items()}
            value = self.loss(logits, told if self.named else told[""], labels)
        else:
            value = self.loss(logits, labels)
        # Processes average their gradients; a share of the global batch weighs as much as it has samples.
        self.process.backward(value * share if share != 1 else value)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return value.detach()

    def _asked(self, part: Tensor | Frozen, batch: Batch, inputs: Inputs) -> Tensor:
        if isinstance(part, Frozen):
            return part(**inputs) if isinstance(inputs, Mapping) else part(inputs)
        return part[batch.index].to(self.process.device)

    def _share(self, indices: Tensor) -> Tensor:
        own = indices[self.process.global_rank :: self.process.world_size]
        return own if len(own) else indices[:1]  # every process takes part in every step; this one counts nothing

    def _summed(self, total: Tensor) -> float:
        summed = self.process.all_reduce(total, reduce_op="sum")
        return float(summed)


def check_run(epochs: int, batch_size: int, checkpoint_every: int | None) -> None:
    """Refuse sizes of a run that can't be.

    Args:
        epochs: Passes over the data.
        batch_size: Samples per step.
        checkpoint_every: Steps between two checkpoints.

    Raises:
        InputError: If one is below 1.
    """
    for name, value in {"epochs": epochs, "batch_size": batch_size, "checkpoint_every": checkpoint_every}.items():
        if value is not None and (not isinstance(value, int) or value < 1):
            raise InputError(f"{name} is {value!r}; pass a whole number from 1")


def frozen_references(
    reference: Reference | Mapping[str, Reference] | None, samples: int
) -> dict[str, Tensor | Frozen]:
    """Read what a caller passed as reference.

    Args:
        reference: Logits, a model, a mapping of such, or nothing.
        samples: Number of training samples.

    Returns:
        The references by name; a single one has the empty name.

    Raises:
        InputError: If logits are not finite, not of shape ``(samples, classes)``, or something else was passed.
    """
    if reference is None:
        return {}
    found: dict[str, Tensor | Frozen] = {}
    for name, part in (reference if isinstance(reference, Mapping) else {"": reference}).items():
        told = f"reference {name!r}" if name else "reference"
        if isinstance(part, nn.Module):
            found[name] = part if isinstance(part, Frozen) else Frozen(part)
        elif not isinstance(part, Tensor):
            raise InputError(f"{told} is a {type(part).__name__}; pass logits (samples, classes) or a torch module")
        elif part.dim() < 2 or len(part) != samples:
            raise InputError(
                f"{told} has shape {tuple(part.shape)} for {samples:,} training samples; pass their logits"
            )
        elif not torch.isfinite(part).all():
            raise InputError(f"{told} has values that are not finite")
        else:
            found[name] = part
    return found


def one_process() -> Fabric:
    """Return a Fabric of one process on the best device there is."""
    from lightning.fabric import Fabric

    return Fabric(accelerator="auto", devices=1)


def _watched(
    place: checkpoints.Place, validation: Validation | None, model: nn.Module, device: torch.device
) -> checkpoints.Place:
    if validation is None:
        return place
    accuracy, flips = validation.measure(model, device)
    last = replace(place.epochs[-1], accuracy=accuracy, negative_flip_rate=flips)
    return replace(place, epochs=(*place.epochs[:-1], last))


@contextmanager
def _algorithms(deterministic: bool) -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(deterministic or before[0], warn_only=before[1])
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
