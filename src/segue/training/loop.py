"""The training loop: model, data, loss, optimiser and schedule in; the trained model and its history out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from segue.training.algorithms import repeating
from segue.training.checkpoint import Checkpoints
from segue.training.checks import check_options, check_trainable
from segue.training.data import as_data
from segue.training.history import History
from segue.training.interrupt import held_back
from segue.training.lookup import Lookup
from segue.training.plan import Plan
from segue.training.processes import begin, launched
from segue.training.progress import bar
from segue.training.references import Reference
from segue.training.run import run_of
from segue.training.running import Training
from segue.training.seeds import kept_globals
from segue.training.step import Loss, Stepper
from segue.training.validation import Validation

if TYPE_CHECKING:
    from lightning.fabric import Fabric
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

# On an accelerator, and among processes, looking at the loss waits for all that is under way.
_STEPS_BETWEEN_LOOKS = 50


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
    clip_norm: float | None = None,
    accumulate: int = 1,
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
    alone. The program's own generators are in the end where they were. Several processes see the same global batches as
    one, and get the same model up to rounding if it has neither dropout nor BatchNorm, which work on each process's
    share, and nothing is augmented batch by batch.

    With augmented data, a reference can be had in two ways. Logits cached for each sample cost nearly nothing per step;
    they say what the reference makes of the sample as it is, not of the picture that was cropped from it. A reference
    model is asked about each batch as it was augmented, and costs a forward pass of it in every step. The first is
    right where the augmentation is mild, or the reference is only to say whether and how sure it was right; the second
    where the new model is to follow the reference's logits under strong augmentation.

    Args:
        model: The model; trained in place, and left in evaluation mode.
        data: A pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
        loss: ``loss(logits, labels)``, or with a reference ``loss(logits, reference_logits, labels)``; a scalar, the
            mean over the batch's samples. A module is moved to the device.
        optimizer: An optimiser over the model's parameters.
        epochs: Passes over the data.
        batch_size: Samples per step, of all processes together.
        schedule: A learning rate schedule over the optimiser; stepped after every step, not every epoch.
        reference: What a frozen model says. Logits ``(samples, classes)`` are looked up by the sample's index (see
            ``cached_outputs``); a model is frozen and asked about each batch as it is augmented. A mapping of such
            gives the loss a mapping of logits.
        validation: Held-out samples to watch after each epoch.
        seed: Seed of order, augmentation and dropout; the first weights are the caller's.
        clip_norm: What the norm of the whole gradient is cut to before each step.
        accumulate: Parts that a step's samples are taken in, one after the other: less memory, the same gradient up to
            rounding (but for BatchNorm, which sees the parts).
        checkpoint: Folder for checkpoints; where it holds one of this run, the training goes on from there. Ctrl-C then
            waits for the step to end and leaves a checkpoint.
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
        InputError: If an argument is out of its range, a checkpoint belongs to another run or can't be written, or the
            loss is not finite.
        KeyboardInterrupt: If Ctrl-C was pressed.

    Example:
        >>> import torch
        >>> line, points = nn.Linear(1, 2), (torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
        >>> descent, watched = torch.optim.SGD(line.parameters(), lr=1.0), Validation(points)
        >>> history = fit(line, points, nn.CrossEntropyLoss(), optimizer=descent, epochs=20, validation=watched)
        >>> history.epochs[-1].accuracy
        1.0
    """
    samples = as_data(data, workers=workers)
    plan = Plan(len(samples), batch_size, epochs, seed, accumulate)
    check_options(checkpoint_every, clip_norm)
    check_trainable(model, optimizer)
    process = launched(fabric)
    references = Lookup.of(reference, len(samples), process.device)
    checkpoints = None
    if checkpoint is not None:
        precision = process.strategy.precision
        run = run_of(
            plan,
            model,
            samples,
            loss,
            references,
            optimizer,
            schedule,
            clip_norm=clip_norm,
            precision=precision.precision,
        )
        stateful = {"optimizer": optimizer, "schedule": schedule, "precision": precision}
        present = {what: part for what, part in stateful.items() if part is not None}
        checkpoints = Checkpoints(Path(checkpoint), run, model, present)
    trained, stepped = process.setup(model, optimizer)
    if isinstance(loss, nn.Module):
        loss.to(process.device)
    stepper = Stepper(process, trained, stepped, schedule, loss, references, seed, clip_norm)
    alone = process.world_size == 1
    with (
        repeating(deterministic),
        kept_globals(process.device),
        held_back(checkpoints is not None and alone) as interrupted,
        bar(name, plan.steps, progress and process.is_global_zero) as shown,
    ):
        place = begin(process, checkpoints)
        begun = place.steps
        training = Training(
            plan=plan,
            samples=samples,
            stepper=stepper,
            validation=validation,
            checkpoints=checkpoints,
            every=checkpoint_every or plan.per_epoch,
            looks=1 if alone and process.device.type == "cpu" else _STEPS_BETWEEN_LOOKS,
            shown=shown,
            interrupted=interrupted,
        )
        while place.steps < plan.steps:
            place = training.epoch(place)
        for buffer in model.buffers() if not alone else ():
            buffer.copy_(process.broadcast(buffer))  # the first process's BatchNorm statistics are in the checkpoint
    model.eval()
    return History(place.epochs, begun)
