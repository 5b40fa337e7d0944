"""One step: the loss of a batch, its gradient, and what the optimiser makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from segue.errors import InputError
from segue.training.asking import check_rows
from segue.training.data import Batch
from segue.training.forward import call, logits_of, on_device
from segue.training.lookup import Lookup
from segue.training.plan import Share
from segue.training.seeds import seed_globals

if TYPE_CHECKING:
    from lightning.fabric import Fabric
    from torch.optim.lr_scheduler import LRScheduler

Loss = Callable[..., Tensor]


@dataclass(frozen=True)
class Stepper:
    """All that takes part in a step.

    Attributes:
        process: The launched Fabric.
        model: The model as Fabric set it up.
        optimizer: The optimiser as Fabric set it up.
        schedule: The learning rate's schedule, if there is one.
        loss: The loss.
        references: What the loss is told beside logits and labels.
        seed: Seed of the run.
        clip_norm: What the gradient's norm is cut to, if it is.
    """

    process: Fabric
    model: Any
    optimizer: Any
    schedule: LRScheduler | None
    loss: Loss
    references: Lookup
    seed: int
    clip_norm: float | None

    def step(self, number: int, shares: Sequence[Share], batches: Iterator[Batch]) -> Tensor:
        """Take one step.

        Args:
            number: Steps done before.
            shares: What this process does of it.
            batches: Where the shares' samples come from.

        Returns:
            The sum of the losses of this process's samples, on the device: reading it would wait for the device.
        """
        self.optimizer.zero_grad()
        sums = []
        for part, share in enumerate(shares):
            batch = next(batches)  # drawing a sample uses the generators that are seeded next
            seed_globals(self.process.device, self.seed, "step", number, part, self.process.global_rank)
            with self.process.no_backward_sync(self.model, enabled=part < len(shares) - 1):
                value = self._loss_of(batch)
                self.process.backward(value * share.weight)
            sums.append(value.detach() * share.counted)
        if self.clip_norm is not None:
            self.process.clip_gradients(self.model, self.optimizer, max_norm=self.clip_norm, error_if_nonfinite=False)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return sum(sums[1:], start=sums[0])

    def _loss_of(self, batch: Batch) -> Tensor:
        device = self.process.device
        inputs = on_device(batch.inputs, device)
        try:
            logits = logits_of(call(self.model, inputs))
        except ValueError as error:
            if "Expected more than 1 value per channel" not in str(error):
                raise
            raise InputError(
                "a batch of one sample can't go through batch normalisation; choose a batch_size that leaves no single "
                "sample over, for the last batch of an epoch and for each process"
            ) from error
        check_rows(logits, len(batch.index))
        check_classes(batch, logits)
        with self.process.autocast():
            told = self.references.about(batch, inputs, device)
        value = self.loss(logits, *told, batch.labels.to(device))
        if not isinstance(value, Tensor) or value.dim() != 0:
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise InputError(f"the loss returned {shape}; it should return one number, the mean over the batch")
        return value


def check_classes(batch: Batch, logits: Tensor) -> None:
    """Refuse labels that the model has no logit for; torch would say less about it, and on a GPU stop for good.

    Args:
        batch: The samples; labels of more than one axis, such as tokens, are left to the loss.
        logits: What the model answered.

    Raises:
        InputError: If a label is not one of the model's classes.
    """
    if batch.labels.dim() != 1 or len(batch.labels) == 0:
        return
    lowest, highest = map(int, batch.labels.aminmax())
    if lowest < 0 or highest >= logits.shape[1]:
        strange = (batch.labels < 0) | (batch.labels >= logits.shape[1])
        place = int(strange.nonzero()[0])
        raise InputError(
            f"the label of sample {int(batch.index[place])} is {int(batch.labels[place])}, but the model has "
            f"{logits.shape[1]} classes, numbered from 0"
        )
