"""Flips against a frozen old model, at each evaluation of Hugging Face's ``Trainer``.

Two ways. ``flip_metrics(old_predictions)`` is a ``compute_metrics``: it costs nothing beside the evaluation itself and
is the right choice where the old model's predictions on the evaluation data are at hand. ``FlipTrainerCallback(old)``
runs the old and the new model over the evaluation data once more after each evaluation; it needs no predictions in
advance and the old model may read another tokenization.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from segue.errors import InputError, require

try:
    import torch
    from accelerate import Accelerator
    from torch import Tensor, nn
    from torch.utils.data import DataLoader
    from transformers import EvalPrediction, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ImportError:
    require("accelerate", "huggingface", "segue.integrations.huggingface")
    require("transformers", "huggingface", "segue.integrations.huggingface")
    raise

from segue.flips.checks import counted, proportion
from segue.integrations.frozen import Forward, OldAnswers, OldModel, Unpack, unpack_batch
from segue.integrations.summary import summary
from segue.integrations.tensors import class_map_tensor, count_cells, flip_cells
from segue.training.forward import call, logits_of


def flip_metrics(
    old_predictions: Any,
    *,
    also: Callable[[EvalPrediction], dict[str, float]] | None = None,
    class_map: Sequence[int] | Tensor | None = None,
    confidence: float = 0.95,
) -> Callable[[EvalPrediction], dict[str, float]]:
    """Make a ``compute_metrics`` that compares each evaluation with the old model's predictions.

    The trainer logs its numbers as ``eval_nfr``, ``eval_nfr_low``, ``eval_nfr_high``, ``eval_pfr``,
    ``eval_relative_nfr``, ``eval_nfi``, ``eval_accuracy_old``, ``eval_accuracy_new``, ``eval_accuracy_change`` and
    ``eval_churn``, so that ``metric_for_best_model="eval_nfr"`` with ``greater_is_better=False`` works.

    Args:
        old_predictions: The old model's answers ``(n,)`` or logits ``(n, classes)`` on the evaluation data in its
            order, or what ``Trainer.predict`` returned for it.
        also: Another ``compute_metrics`` whose numbers are returned as well.
        class_map: The new class of each old class, -1 where it is gone, where class sets differ.
        confidence: Coverage of the interval of the negative flip rate.

    Returns:
        The function for ``Trainer(compute_metrics=...)``.

    Raises:
        InputError: When made or called, if predictions and labels do not fit together.
    """
    proportion(confidence, "confidence")
    old = _tensor(getattr(old_predictions, "predictions", old_predictions), "old_predictions")
    mapped = class_map_tensor(class_map)

    def compute_metrics(evaluated: EvalPrediction) -> dict[str, float]:
        new, labels = _tensor(evaluated.predictions, "new"), _tensor(evaluated.label_ids, "labels")
        if len(new) != len(old):
            raise InputError(
                f"old_predictions has {counted(len(old), 'row')} but the evaluation data has {len(new):,}; pass the "
                f"old model's predictions on the same data in the same order"
            )
        found = summary(count_cells(flip_cells(new, old, labels, class_map=mapped)).tolist(), confidence)
        return {**({} if also is None else also(evaluated)), **found}

    return compute_metrics


class FlipTrainerCallback(TrainerCallback):
    """Add flips against the old model to the metrics of each evaluation.

    The numbers are those of :func:`flip_metrics` under the evaluation's prefix (``eval_nfr``). They are in what
    ``Trainer.evaluate`` returns, in ``trainer.state.log_history``, and in time for
    ``metric_for_best_model="eval_nfr"``; put the callback before an ``EarlyStoppingCallback``. Reporters such as
    TensorBoard are told before any callback sees an evaluation, so they only get the numbers after ``attach``:

        trainer = Trainer(...)
        FlipTrainerCallback(old_model).attach(trainer)

    The old model is copied when the callback is made, and runs in evaluation mode without gradients. In distributed
    training every sample counts once, as in the trainer's own evaluation.

    Args:
        old: The old model; or a function from a batch of the evaluation data to the old model's answers ``(n,)`` or
            logits ``(n, classes)``.
        unpack: From a batch to ``(inputs, labels)``; by default all but ``labels`` are inputs.
        forward: How to call a model on inputs so that it returns logits; by default ``model(**inputs)``.
        class_map: The new class of each old class, -1 where it is gone, where class sets differ.
        confidence: Coverage of the interval of the negative flip rate.

    Raises:
        InputError: If ``old`` can't be called, or the confidence is no proportion.
    """

    def __init__(
        self,
        old: OldAnswers,
        *,
        unpack: Unpack = unpack_batch,
        forward: Forward = call,
        class_map: Sequence[int] | Tensor | None = None,
        confidence: float = 0.95,
    ) -> None:
        self.old = OldModel(old, forward)
        self.confidence = proportion(confidence, "confidence")
        self._unpack = unpack
        self._forward = forward
        self._class_map = class_map_tensor(class_map)
        self._trainer: Trainer | None = None

    def attach(self, trainer: Trainer) -> FlipTrainerCallback:
        """Add the callback to a trainer, whose reporters then get the numbers too.

        Args:
            trainer: The trainer.

        Returns:
            The callback itself.
        """
        trainer.add_callback(self)
        self._trainer = trainer
        return self

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Compare the models on the evaluation data and add the numbers to the metrics."""
        metrics: dict[str, float] = kwargs["metrics"]
        prefix = next((name.removesuffix("runtime") for name in metrics if name.endswith("_runtime")), "eval_")
        found = {
            prefix + name: value for name, value in self._compare(kwargs["model"], kwargs["eval_dataloader"], args)
        }
        metrics.update(found)
        if self._trainer is not None:
            self._trainer.log(dict(found))
        elif state.log_history:
            state.log_history[-1].update(found)

    def _compare(self, model: nn.Module, loader: DataLoader[Any], args: TrainingArguments) -> list[tuple[str, float]]:
        accelerator = Accelerator()  # shares the trainer's process group: knows which samples only fill up a batch
        counts = torch.zeros(5, dtype=torch.int64)
        self.old.to(args.device)
        training, draws = model.training, torch.get_rng_state()
        model.eval()
        try:
            for batch in loader:
                inputs, labels = self._unpack(batch)
                with torch.no_grad():
                    new = logits_of(self._forward(model, inputs), "new model")
                cells = flip_cells(new, self.old(batch, inputs), labels, class_map=self._class_map)
                counts += count_cells(accelerator.gather_for_metrics(cells)).cpu()
        finally:
            model.train(training)
            torch.set_rng_state(draws)  # each pass over a data loader draws a seed: training must not notice
            self.old.to(torch.device("cpu"))
        return list(summary(counts.tolist(), self.confidence).items())


def _tensor(values: Any, name: str) -> Tensor:
    # Models that also return hidden states give a tuple whose first element are the logits.
    if isinstance(values, tuple):
        values = values[0]
    if values is None:
        raise InputError(f"{name} is missing; evaluate on data with labels and with prediction_loss_only=False")
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} is a {type(values).__name__}; pass an array (n,) or (n, classes)") from error
