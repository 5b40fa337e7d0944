"""Congruent training in Lightning: a mix-in that minimises an objective against a frozen old model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, cast

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from segue.errors import InputError
from segue.integrations.frozen import Forward, OldAnswers, OldModel, Unpack, unpack_batch
from segue.integrations.objective import Objective, check_objective, check_scalar
from segue.training.forward import call, logits_of


@dataclass
class Following:
    """What a module follows; no module itself, so that Lightning finds no part of the new model in it.

    Attributes:
        old: The old model, or a function that knows its logits.
        objective: The objective.
        unpack: From a batch to its inputs and labels.
        forward: How a model is called on inputs.
        place: Device and type of the weights to which old model and objective were moved.
    """

    old: OldModel
    objective: Objective
    unpack: Unpack
    forward: Forward
    place: tuple[torch.device, torch.dtype] | None = None

    def move(self, device: torch.device, dtype: torch.dtype) -> None:
        """Follow the new model to its device, and to its precision where that is not the usual one.

        Args:
            device: Where the new model is.
            dtype: The type of its weights.
        """
        if self.place == (device, dtype):
            return
        self.old.to(device, None if dtype == torch.float32 else dtype)
        if isinstance(self.objective, nn.Module):
            self.objective.to(device)
        self.place = device, dtype


class CongruentModule(LightningModule):
    """A mix-in whose training step is a congruent objective; put it before your own module's class.

        class Successor(CongruentModule, Classifier): ...

        trainer.fit(Successor().follow(old_model, Mixed(FocalDistillation(), weight=0.9)), ...)

    All but the training step is your module's: its forward pass, optimisers, validation, hooks and hyperparameters. The
    step asks the module and the old model about the batch's inputs and logs ``train/loss``. Where it is not the step
    you need (several losses, inputs mixed within the step, manual optimisation), write your own in ``Successor``, and
    call :meth:`congruent_loss` there.

    The old model is copied when ``follow`` is called. It is no part of the module: not in its parameters, its
    optimisers, its hyperparameters or its checkpoints, and no ``train()`` reaches it; so a checkpoint loads into the
    class without the mix-in, too, and one that is loaded to be trained further needs ``follow`` again. It answers in
    evaluation mode without gradients, on the module's device and in its precision.
    """

    _following: Following | None = None

    def follow(
        self, old: OldAnswers, objective: Objective, *, unpack: Unpack = unpack_batch, forward: Forward = call
    ) -> Self:
        """Say which old model is to be followed, and how.

        Args:
            old: The old model; or, where its logits are known already, a function from a batch to them, ``(n, old
                classes)``.
            objective: ``objective(new_logits, old_logits, labels)``, the mean over the batch, with the label term: one
                of ``segue.congruent.objective``, or a loss of ``segue.congruent.losses`` that includes the labels.
            unpack: From a batch to ``(inputs, labels)``; pairs and mappings with ``labels`` are understood unasked.
            forward: How to call a model on inputs so that it returns logits ``(n, classes)``.

        Returns:
            The module itself.

        Raises:
            InputError: If ``old`` can't be called or copied, or the objective is none.
        """
        check_objective(objective)
        self._following = Following(OldModel(old, forward), objective, unpack, forward)
        return self

    def congruent_loss(self, batch: Any, new_logits: Tensor | None = None) -> Tensor:
        """Compute the objective on a batch.

        Args:
            batch: The batch.
            new_logits: The module's logits on it, ``(n, classes)``, if they are there already.

        Returns:
            The loss, a scalar.

        Raises:
            InputError: If ``follow`` was not called, or batch, logits and objective do not fit together.
        """
        following = self._following
        if following is None:
            raise InputError(f"{type(self).__name__} has no old model; call follow(old, objective) before it trains")
        following.move(self.device, cast("torch.dtype", self.dtype))
        inputs, labels = following.unpack(batch)
        new = logits_of(following.forward(self, inputs), "new model") if new_logits is None else new_logits
        return check_scalar(following.objective(new, following.old(batch, inputs), labels))

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the objective on a batch, and log it as ``train/loss``.

        Args:
            batch: The batch.
            batch_idx: Its number.

        Returns:
            The loss, a scalar.

        Raises:
            InputError: As :meth:`congruent_loss`; or if the module optimises by hand.
        """
        if not self.automatic_optimization:
            raise InputError(
                f"{type(self).__name__} optimises by hand (automatic_optimization is False); call "
                f"congruent_loss(batch) in a training_step of its own"
            )
        loss = self.congruent_loss(batch)
        self.log("train/loss", loss.detach())
        return loss
