"""Held-out samples that are watched while a model trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.asking import answering, answers
from segue.training.data import as_data, check_labels
from segue.training.processes import gathered
from segue.training.seeds import kept_globals

if TYPE_CHECKING:
    from lightning.fabric import Fabric


class Validation:
    """Validation data, with the old model's answers where negative flips are to be watched.

    Args:
        data: A pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
        old: The old model's answers in the new model's classes ``(n,)``, or its logits ``(n, classes)`` where the
            class sets are equal.
        batch_size: Samples per call.

    Raises:
        InputError: If labels are no classes, or there is not one old answer per sample.
    """

    def __init__(self, data: Any, old: Tensor | None = None, *, batch_size: int = 512) -> None:
        self.data, self.batch_size = as_data(data, "validation"), batch_size
        self.old = None if old is None else _answers(old, len(self.data))
        with kept_globals():
            batches = self.data.plain(torch.split(torch.arange(len(self.data)), batch_size))
            self.labels = torch.cat([batch.labels for batch in batches])
        check_labels(self.labels)

    def measure(
        self, model: nn.Module, device: torch.device | str | None = None, process: Fabric | None = None
    ) -> tuple[float, float | None]:
        """Answer the samples.

        Args:
            model: The model; it answers in evaluation mode and keeps its own.
            device: Where the inputs go.
            process: Where several processes share the samples: the Fabric that they were launched by.

        Returns:
            Accuracy, and the share of the samples that only the old model gets right, or ``None``.

        Raises:
            InputError: If a label is not one of the model's classes.
        """
        samples = len(self.data)
        rank, world = (process.global_rank, process.world_size) if process is not None else (0, 1)
        # Every process is asked equally often; what goes round at the end is answered and not counted.
        turns = torch.arange(rank, -(-samples // world) * world, world)
        index, counted = turns % samples, turns < samples
        with answering(model):
            logits = torch.cat(list(answers(model, self.data, index, self.batch_size, device)))
        if int(self.labels.max()) >= logits.shape[1]:
            raise InputError(
                f"validation has the label {int(self.labels.max())}, but the model has {logits.shape[1]} classes, "
                f"numbered from 0"
            )
        right = logits.argmax(dim=1) == self.labels[index]
        flipped = ~right if self.old is None else ~right & (self.old == self.labels)[index]
        counts = torch.stack([(right & counted).sum(), (flipped & counted).sum()])
        if process is not None:
            counts = gathered(process, counts.to(process.device)).sum(dim=0).cpu()
        accuracy, flips = (counts.double() / samples).tolist()
        return accuracy, None if self.old is None else flips


def _answers(old: Tensor, samples: int) -> Tensor:
    if not isinstance(old, Tensor):
        raise InputError(f"old is a {type(old).__name__}; pass the old model's answers or logits as a tensor")
    if old.dim() not in {1, 2} or len(old) != samples:
        raise InputError(f"old has shape {tuple(old.shape)} for {samples:,} validation samples; pass one answer each")
    if old.dim() == 1 and old.is_floating_point():
        raise InputError(f"old is {old.dtype} of shape {tuple(old.shape)}; pass answers (n,) as whole numbers")
    if old.dim() == 2 and not torch.isfinite(old).all():
        raise InputError("old has logits that are not finite")
    return (old if old.dim() == 1 else old.argmax(dim=1)).cpu()
