"""A Lightning callback that logs flips against a frozen old model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from segue.errors import require

try:
    import torch
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import Callback
    from torch import Tensor
except ImportError:
    require("lightning", "lightning", "segue.integrations.lightning")
    raise

from segue.flips.checks import proportion
from segue.integrations.frozen import Forward, OldAnswers, OldModel, Unpack, unpack_batch
from segue.integrations.summary import summary
from segue.integrations.torchmetrics import FlipCounts
from segue.training.forward import call, logits_of


class FlipCallback(Callback):
    """Log negative flips against the old model after each validation and test epoch.

    Logged are ``val/nfr``, ``val/nfr_low``, ``val/nfr_high`` (exact interval), ``val/pfr``, ``val/relative_nfr``,
    ``val/nfi``, ``val/accuracy_old``, ``val/accuracy_new``, ``val/accuracy_change`` and ``val/churn``, and the same
    under ``test/``; so that ``ModelCheckpoint(monitor="val/nfr", mode="min")`` and ``EarlyStopping`` can follow them.
    With several data loaders their names end in ``/dataloader_idx_0``, ...

    The old model is copied when the callback is made. It is no part of the trained module: not in its parameters, its
    optimizers or its checkpoints. It runs in evaluation mode without gradients, on the module's device and in the
    trainer's precision. The sanity check before training is left out. Counts are summed over processes; note that
    Lightning's own distributed sampler repeats a few samples when the data does not divide by the processes.

    Args:
        old: The old model; or, where its answers are known already, a function from a batch to them: ``(n,)`` or
            logits ``(n, classes)``.
        unpack: From a batch to ``(inputs, labels)``; pairs and mappings with ``labels`` are understood unasked.
        forward: How to call a model on inputs so that it returns logits ``(n, classes)``.
        new_logits: From what the module's validation or test step returns to its logits; without it the module is
            called a second time on each batch.
        class_map: The new class of each old class, -1 where it is gone, where class sets differ.
        confidence: Coverage of the interval of the negative flip rate.
        save_old: Write the old model into the trainer's checkpoints, as the callback's state.

    Raises:
        InputError: If ``old`` can't be called, or the confidence is no proportion.
    """

    def __init__(
        self,
        old: OldAnswers,
        *,
        unpack: Unpack = unpack_batch,
        forward: Forward = call,
        new_logits: Callable[[Any], Tensor] | None = None,
        class_map: Sequence[int] | Tensor | None = None,
        confidence: float = 0.95,
        save_old: bool = False,
    ) -> None:
        super().__init__()
        self.old = OldModel(old, forward)
        self.confidence = proportion(confidence, "confidence")
        self.save_old = save_old
        self._unpack = unpack
        self._forward = forward
        self._new_logits = new_logits
        self._class_map = class_map
        self._counts: list[FlipCounts] = []

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting."""
        if not trainer.sanity_checking:
            self._start(pl_module, len(trainer.num_val_batches))

    def on_test_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting."""
        self._start(pl_module, len(trainer.num_test_batches))

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count a batch."""
        if not trainer.sanity_checking:
            self._count(trainer, pl_module, outputs, batch, dataloader_idx)

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count a batch."""
        self._count(trainer, pl_module, outputs, batch, dataloader_idx)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the rates."""
        if not trainer.sanity_checking:
            self._log(pl_module, "val")

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the rates."""
        self._log(pl_module, "test")

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Leave the accelerator's memory."""
        self.old.to(torch.device("cpu"))
        self._counts = []

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the callback: nothing, or the old model's weights if asked to."""
        if self.save_old and self.old.module is not None:
            return {"old": self.old.module.state_dict()}
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the old model's weights from a checkpoint that has them."""
        if self.save_old and self.old.module is not None and "old" in state_dict:
            self.old.module.load_state_dict(state_dict["old"])

    def _start(self, module: LightningModule, loaders: int) -> None:
        # On every process for every loader, even one that has no batch for it: counts are summed collectively.
        self.old.to(module.device)
        self._counts = [FlipCounts(self._class_map).to(module.device) for _ in range(loaders)]

    def _count(self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, loader: int) -> None:
        inputs, labels = self._unpack(batch)
        with torch.no_grad(), trainer.precision_plugin.forward_context():
            old = self.old(batch, inputs)
            found = self._forward(module, inputs) if self._new_logits is None else self._new_logits(outputs)
        self._counts[loader].update(logits_of(found, "new model"), old, labels)

    def _log(self, module: LightningModule, stage: str) -> None:
        for index, counts in enumerate(self._counts):
            ending = f"/dataloader_idx_{index}" if len(self._counts) > 1 else ""
            found = summary(counts.compute().tolist(), self.confidence)
            # The counts are summed already: the mean over processes of equal numbers only tells Lightning so.
            module.log_dict(
                {f"{stage}/{name}{ending}": value for name, value in found.items()},
                sync_dist=True,
                add_dataloader_idx=False,
            )
