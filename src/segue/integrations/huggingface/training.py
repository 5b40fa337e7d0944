"""Congruent training with Hugging Face's ``Trainer``: its loss becomes an objective against a frozen old model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from segue.congruent.losses import MuscleDistillation, next_tokens
from segue.congruent.losses.checks import check_logits, check_reference
from segue.congruent.losses.muscle import PADDING
from segue.errors import InputError
from segue.integrations.huggingface.references import BatchReferences, Reference
from segue.integrations.objective import Objective, check_objective, check_scalar
from segue.training.forward import logits_of


class CongruentTrainer(Trainer):
    """A ``Trainer`` that minimises a congruent objective against a frozen old model.

    It takes what ``Trainer`` takes, and can be mixed into another trainer: ``class Mine(CongruentTrainer,
    Seq2SeqTrainer)``. The old model is copied, and answers in evaluation mode, without gradients, in the trainer's
    precision, on the same inputs as the new model. Where it reads other inputs (another tokenizer), or to save its
    forward pass, put its logits into the dataset and pass the column's name; the data collator must keep the column, as
    the default ones do, and ``eval_loss`` needs it in the evaluation data too.

    Samples and tokens with the label -100 do not count. Of token classifiers and causal language models each token that
    counts is a sample; for the latter labels are shifted as in the model's own loss. The sum over all samples of a step
    is divided by their number, however they are split into accumulated batches or processes.

    Args:
        arguments: Arguments of ``Trainer``.
        objective: ``objective(new_logits, old_logits, labels)``, the mean over ``(n, classes)``, with the label term:
            one of ``segue.congruent.objective``, a loss of ``segue.congruent.losses`` that includes the labels, or
            ``MuscleDistillation``.
        old: The old model, or the name of the column with its logits; or several by name, as ``SeveralReferences``
            wants them.
        teacher: The new model fine-tuned as usual, or the name of the column with its logits; for
            ``MuscleDistillation`` alone.
        options: Arguments of ``Trainer`` by name.

    Raises:
        InputError: If an argument is none of these, label smoothing or another loss is asked of the trainer, or the
            model is split in a way that the old one would not be.
    """

    def __init__(
        self,
        *arguments: Any,
        objective: Objective,
        old: Reference | Mapping[str, Reference],
        teacher: Reference | None = None,
        **options: Any,
    ) -> None:
        check_objective(objective)
        if isinstance(objective, MuscleDistillation) != (teacher is not None):
            raise InputError(
                "teacher is what MuscleDistillation follows where the new model is right; pass it with that objective, "
                "and with no other"
            )
        if options.get("compute_loss_func") is not None:
            raise InputError("compute_loss_func would take the objective's place; pass it as the objective")
        self.objective: Objective = objective
        self._several = isinstance(old, Mapping)
        named = {**old} if isinstance(old, Mapping) else {"old": old}
        self.references = BatchReferences(named if teacher is None else {**named, "teacher": teacher})
        self._logits: dict[str, Tensor] = {}
        options["compute_loss_func"] = self._objective_of
        super().__init__(*arguments, **options)
        self._check_arguments()
        # the trainer's own count misses some models: what it divides by must be what is summed up
        self._loss_shifts_labels = _shifts_labels(self.model)
        self.label_names = self.label_names or ["labels"]  # of a model that takes none: the objective does
        self.references.to(self.args.device)
        if isinstance(objective, torch.nn.Module):
            objective.to(self.args.device)

    def compute_loss(self, model: Any, inputs: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        """Ask the references about a batch, and have the trainer compute its loss with them.

        Args:
            model: The model.
            inputs: The batch.
            arguments: As of ``Trainer.compute_loss``.
            options: As of ``Trainer.compute_loss``.

        Returns:
            The loss, and the outputs if they are asked for.

        Raises:
            InputError: If a column or the labels are missing, or what the models say does not fit together.
        """
        if "labels" not in inputs:
            raise InputError(f"the batch has no labels, but {', '.join(inputs)}; name the column 'labels'")
        rest = self.references.without_columns(inputs)
        with self.accelerator.autocast():
            asked = {name: value for name, value in rest.items() if name != "labels"}
            self._logits = self.references.about(inputs, asked)
        try:
            found = super().compute_loss(model, rest, *arguments, **options)
        finally:
            self._logits = {}
        if isinstance(found, tuple) and not isinstance(found[1], Mapping):
            loss, outputs = found
            # the trainer takes the first of a tuple for the loss, which a model that is told no labels leaves out
            return loss, (None, *outputs) if isinstance(outputs, tuple) else (None, outputs)
        return found

    def prediction_step(self, model: Any, inputs: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        """Predict a batch, which without labels needs no reference.

        Args:
            model: The model.
            inputs: The batch.
            arguments: As of ``Trainer.prediction_step``.
            options: As of ``Trainer.prediction_step``.

        Returns:
            Loss, logits and labels.
        """
        told = inputs if "labels" in inputs else self.references.without_columns(inputs)
        return super().prediction_step(model, told, *arguments, **options)

    def _set_signature_columns_if_needed(self) -> None:
        # The trainer drops the columns that the model does not read; those of the objective must stay.
        super()._set_signature_columns_if_needed()
        kept: list[str] = self._signature_columns or []
        columns = list(dict.fromkeys([*kept, "labels", *self.references.columns.values()]))
        self._signature_columns = columns  # type: ignore[assignment]  # inferred from its first value, None

    def _check_arguments(self) -> None:
        if self.args.label_smoothing_factor != 0:
            raise InputError(
                f"label_smoothing_factor is {self.args.label_smoothing_factor:g}, which the objective does not see; "
                f"leave it at 0 and give label_smoothing to the objective, such as Mixed(..., label_smoothing=0.1)"
            )
        if self.args.n_gpu > 1:
            raise InputError(
                f"one process is to use {self.args.n_gpu} GPUs; start one process for each with torchrun, or let it "
                f"see one with CUDA_VISIBLE_DEVICES"
            )
        split = getattr(self.accelerator, "parallelism_config", None)
        if split is not None and (split.sp_enabled or split.cp_enabled or split.tp_enabled):
            raise InputError(
                "the trainer splits sequences or layers among devices, which the old model would not be; train without "
                "sequence, context and tensor parallelism"
            )

    def _objective_of(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        new = logits_of(outputs, "new model")
        check_logits("new_logits", new, ("n", "classes") if new.ndim == 2 else ("batch", "tokens", "classes"))
        for name, reference in self._logits.items():
            check_logits(
                f"{name}_logits", reference, ("n", "classes") if new.ndim == 2 else ("batch", "tokens", "classes")
            )
            check_reference(f"{name}_logits", reference, new)
        if labels.shape != new.shape[:-1]:
            raise InputError(
                f"labels have the shape {tuple(labels.shape)} and the model's logits {tuple(new.shape)}; pass one "
                f"class for each row of logits"
            )
        truth = next_tokens(labels) if new.ndim == 3 and self._loss_shifts_labels else labels
        counted = truth != PADDING
        rows = {name: reference[counted] for name, reference in self._logits.items()}
        number = counted.sum()
        if number == 0:
            return new[counted].sum()
        mean = self._mean(new[counted], rows, truth[counted])
        return mean if num_items_in_batch is None else mean * number / num_items_in_batch

    def _mean(self, new: Tensor, rows: dict[str, Tensor], truth: Tensor) -> Tensor:
        if isinstance(self.objective, MuscleDistillation):
            found = self.objective(
                new[None], rows["old"][None], truth[None], teacher_logits=rows["teacher"][None]
            )  # all tokens as one text
        else:
            found = self.objective(new, rows if self._several else rows["old"], truth)
        return check_scalar(found)


def _shifts_labels(model: Any) -> bool:
    # Whether a model's own loss compares each token's logits with the next token's label.
    model = model.get_base_model() if hasattr(model, "get_base_model") else model  # behind an adapter
    if getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        return False
    named = type(model).__name__ in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    return named or getattr(model, "loss_type", None) == "ForCausalLM"
