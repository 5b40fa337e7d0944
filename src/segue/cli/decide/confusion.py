"""How reliable a model is, as the typed options say that it is estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.cli.decide.arguments import Columns
from segue.cli.decide.reading import Table
from segue.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segue.congruent.decisions.likelihood import AnswerLikelihood


def confusion_of(source: Table, classes: NDArray[Any], columns: Columns) -> AnswerLikelihood:
    """Estimate how reliable a model is.

    Args:
        source: Labelled samples with its answers.
        classes: All classes, in ascending order.
        columns: How the confusion is estimated.

    Returns:
        The confusion.

    Raises:
        InputError: If the way to estimate it is unknown, or the smoothing is not above 0.
    """
    from segue.congruent.decisions import Confusion, DiagonalConfusion

    kinds: dict[str, Any] = {"full": Confusion, "diagonal": DiagonalConfusion}
    if columns.confusion not in kinds:
        raise InputError(f"--confusion is {columns.confusion!r}; pass full or diagonal")
    if columns.smoothing <= 0:
        raise InputError(f"--smoothing is {columns.smoothing:g}; pass a number above 0, such as 1")
    fitted: AnswerLikelihood = kinds[columns.confusion].fit(
        source["label"], source["prediction"], classes=classes, smoothing=columns.smoothing
    )
    return fitted
