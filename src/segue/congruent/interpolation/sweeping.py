"""Try every alpha on validation data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from segue.congruent.interpolation.points import InterpolationPoint, InterpolationSweep
from segue.congruent.interpolation.weights import check_alpha, interpolate
from segue.errors import InputError
from segue.flips.checks import counted
from segue.flips.counts import NEGATIVE_FLIP, POSITIVE_FLIP, Tally, cell_of
from segue.flips.intervals import NEW_RIGHT, OLD_RIGHT, rate, relative_rate
from segue.training.asking import outputs_of
from segue.training.data import TrainingData, as_data
from segue.training.progress import bar
from segue.training.seeds import kept_globals

ALPHAS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
FISHER_ALPHAS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98, 1.0)
"""The finer grid near the old model that the paper's code uses with Fisher information."""


def sweep(
    old: nn.Module,
    new: nn.Module,
    validation: Any,
    alphas: Iterable[float] = ALPHAS,
    *,
    fisher: Mapping[str, Tensor] | None = None,
    class_map: Sequence[int] | Tensor | None = None,
    head: Collection[str] | None = None,
    recalibration: Any | None = None,
    confidence: float = 0.95,
    batch_size: int = 512,
    progress: bool = True,
) -> InterpolationSweep:
    """Measure on validation data what each share of the old model keeps and costs.

    Negative flips are counted against the old model itself. The chosen model is then
    ``interpolate(old, new, sweep.pick().alpha, ...)`` with the same keywords.

    Args:
        old: The old model.
        new: The new model, fine-tuned from the old one; or a :func:`segue.congruent.interpolation.soup` of such.
        validation: Labelled samples that no model was trained on, and not the test data: a pair ``(inputs, labels)`` of
            tensors, a map-style dataset, or ``TrainingData``. Labels are in the new model's classes.
        alphas: Shares of the old model to try; 0, the new model, must be among them.
        fisher: See :func:`segue.congruent.interpolation.interpolate`; ``FISHER_ALPHAS`` suits it better.
        class_map: See there.
        head: See there.
        recalibration: See there; at alpha 0 and 1 the models are measured as they are.
        confidence: Coverage of the intervals.
        batch_size: Samples per call.
        progress: Whether to show a bar on stderr, if it is a terminal.

    Returns:
        The points.

    Raises:
        InputError: If an argument is not as described.

    Example:
        >>> old, new = nn.Linear(1, 2, bias=False), nn.Linear(1, 2, bias=False)
        >>> _ = old.weight.data.copy_(torch.tensor([[0.0], [1.0]]))  # always wrong
        >>> _ = new.weight.data.copy_(torch.tensor([[1.0], [0.0]]))  # always right
        >>> data = torch.tensor([[1.0], [-1.0], [1.0]]), torch.tensor([0, 1, 0])
        >>> tuple(point.accuracy.value for point in sweep(old, new, data, (0, 0.25, 1)).points)
        (1.0, 1.0, 0.0)
    """
    shares = sorted({check_alpha(alpha) for alpha in alphas})
    if 0.0 not in shares:
        raise InputError("alphas lacks 0, the new model, against which every other point is held; add it")
    samples = as_data(validation, "validation")

    def between(alpha: float) -> nn.Module:
        return interpolate(old, new, alpha, fisher=fisher, class_map=class_map, head=head, recalibration=recalibration)

    plain = between(0.0)  # made first: a pair that does not fit is told before anything is computed
    with kept_globals():
        labels = torch.cat([batch.labels for batch in samples.plain(_parts(samples, batch_size))]).cpu()
    before = _logits(old, samples, "old model", batch_size)
    after = _logits(plain, samples, "new model", batch_size)
    _check_classes(labels, before.shape[1], after.shape[1], class_map)
    old_answers = before.argmax(dim=1)
    if class_map is not None:
        old_answers = torch.as_tensor(class_map).cpu().long()[old_answers]
    points = []
    tally = _tally(labels, old_answers, after.argmax(dim=1))
    with bar("alphas", len(shares), progress) as shown:
        for done, alpha in enumerate(shares, start=1):
            if alpha > 0:
                logits = _logits(between(alpha), samples, f"model at alpha {alpha:g}", batch_size)
                tally = _tally(labels, old_answers, logits.argmax(dim=1))
            points.append(_point(alpha, tally, confidence))
            shown.step(done)
    return InterpolationSweep(tuple(points), len(labels), rate(tally, OLD_RIGHT, confidence=confidence))


def _parts(samples: TrainingData, batch_size: int) -> tuple[Tensor, ...]:
    return torch.split(torch.arange(len(samples)), batch_size)


def _logits(model: nn.Module, samples: TrainingData, name: str, batch_size: int) -> Tensor:
    logits = outputs_of(model, samples, batch_size=batch_size)
    if logits.dim() != 2 or logits.shape[1] < 2:
        raise InputError(f"the {name} returned logits of shape {tuple(logits.shape)}; wrap it to return (n, classes)")
    if not torch.isfinite(logits).all():
        raise InputError(f"the {name} returned NaN or infinity on validation; look for them in the data or the weights")
    return logits


def _check_classes(labels: Tensor, old: int, new: int, class_map: Sequence[int] | Tensor | None) -> None:
    if class_map is None and old != new:
        raise InputError(
            f"the old model knows {old} classes and the new one {new}; pass class_map=[new class of each old]"
        )
    if class_map is not None and old != len(class_map):
        raise InputError(f"class_map names {len(class_map)} old classes, but the old model knows {old}; name every one")
    unknown = int((labels >= new).sum())
    if unknown:
        raise InputError(
            f"validation has {counted(unknown, 'label')} that the new model does not know (it has classes 0 to "
            f"{new - 1}); correct the labels"
        )


def _tally(labels: Tensor, old: Tensor, new: Tensor) -> Tally:
    return Tally.of(cell_of((old == labels).numpy(), (new == labels).numpy(), (old == new).numpy()))


def _point(alpha: float, tally: Tally, confidence: float) -> InterpolationPoint:
    return InterpolationPoint(
        alpha,
        accuracy=rate(tally, NEW_RIGHT, confidence=confidence),
        negative_flip_rate=rate(tally, (NEGATIVE_FLIP,), confidence=confidence),
        positive_flip_rate=rate(tally, (POSITIVE_FLIP,), confidence=confidence),
        relative_negative_flip_rate=relative_rate(tally, confidence),
    )
