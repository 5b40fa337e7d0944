"""What the old classifier head makes of new embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips import FlipReport, compare
from segue.flips.checks import class_column, counted, same_length, seed_number
from segue.retrieval.scores import unit
from segue.retrieval.vectors import SLAB, Vectors, as_vectors, blocks

Unknown = Literal["refuse", "count apart"]


def old_head_accuracy(
    weights: ArrayLike,
    bias: ArrayLike | None,
    embeddings_old: ArrayLike,
    embeddings_new: ArrayLike,
    labels: ArrayLike,
    *,
    cosine: bool = False,
    classes: Sequence[Any] | None = None,
    unknown: Unknown = "refuse",
    slices: Mapping[str, ArrayLike] | Any | None = None,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> FlipReport:
    r"""Let a frozen old head classify old and new embeddings, and report what the change of embeddings breaks.

    The head answers the class ``c`` with the largest :math:`w_c \cdot x + b_c`, or, for a cosine head (ArcFace,
    CosFace), the largest :math:`w_c \cdot x / \|w_c\|`; scales and margins, and the length of ``x``, change no answer.
    A new model with more dimensions is given to the head as it was trained: BCT passes the first ones,
    ``embeddings_new[:, :d]`` (Shen et al., CVPR 2020).

    Args:
        weights: One row per class of the old model, ``(classes, d)``.
        bias: The head's biases, ``(classes,)``; ``None`` where it has none.
        embeddings_old: The old model's embeddings, ``(n, d)``.
        embeddings_new: The new model's embeddings of the same items, ``(n, d)``.
        labels: The true class of each item, ``(n,)``.
        cosine: Whether the head compares directions: its rows are brought to length 1, and it has no bias.
        classes: The class that each row of ``weights`` stands for, ``(classes,)``; 0, 1, ... by default.
        unknown: What is done where labels are no class of the head: refuse them, or ``"count apart"``: the head is
            wrong on them, and the slice ``label known to old`` shows the others alone.
        slices: Columns to break the rates down by, ``(n,)`` each: a mapping or a data frame.
        groups: Which person or product each item shows, ``(n,)``.
        confidence: Coverage of the intervals.
        seed: Seed of the bootstrap.

    Returns:
        The report of :func:`segue.flips.compare`: accuracy of the head on old and on new embeddings, negative flips,
        slices; a gate decides on it as on any other.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> weights = [[1.0, 0.0], [0.0, 1.0]]
        >>> old, new = [[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]], [[2.0, 1.0], [3.0, 1.0], [0.0, 1.0]]
        >>> report = old_head_accuracy(weights, None, old, new, [0, 1, 1])
        >>> report.accuracy_old.value, round(report.accuracy_new.value, 4), report.negative_flips
        (1.0, 0.6667, 1)
    """
    seed_number(seed)
    head = as_vectors(weights, "weights", "inner-product")
    rows = _directions(head) if cosine else head.values.astype(np.float64)
    offsets = _bias(bias, len(head), cosine)
    names = _classes(classes, len(head))
    both = [
        as_vectors(values, name, "inner-product")
        for values, name in ((embeddings_old, "embeddings_old"), (embeddings_new, "embeddings_new"))
    ]
    for vectors in both:
        _refuse_other_dimension(vectors, head)
    truth = class_column(labels, "labels")
    same_length({"labels": truth, **{vectors.name: vectors.values for vectors in both}})
    grown = _unknown(truth, names, unknown)
    (old, _), (new, _) = answers = [_answers(vectors, rows, offsets) for vectors in both]
    report = compare(
        truth,
        names[old],
        names[new],
        classes=names.tolist(),
        slices=slices,
        groups=groups,
        class_map={name: name for name in names.tolist()} if grown else None,
        confidence=confidence,
        names=("old embeddings", "new embeddings"),
        seed=seed,
    )
    ties = [
        f"{vectors.name}: {counted(tied, 'item')} with two classes at the top; the first row of weights was taken"
        for vectors, (_, tied) in zip(both, answers, strict=True)
        if tied
    ]
    return replace(report, notes=(*report.notes, *ties))


def _answers(
    vectors: Vectors, rows: NDArray[np.float64], offsets: NDArray[np.float64]
) -> tuple[NDArray[np.int64], int]:
    answers, ties = np.empty(len(vectors), dtype=np.int64), 0
    for start, block in blocks(vectors.values, max(1, SLAB // max(len(rows), vectors.dimension))):
        logits = block.astype(np.float64) @ rows.T + offsets
        answers[start : start + len(block)] = logits.argmax(axis=1)
        ties += int(((logits == logits.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
    return answers, ties


def _directions(head: Vectors) -> NDArray[np.float64]:
    empty = np.flatnonzero(~head.values.any(axis=1))
    if len(empty):
        raise InputError(
            f"weights has {counted(len(empty), 'row')} of zeros, first at row {empty[0]}; in a cosine head every class "
            f"has a direction: leave these classes out, or pass cosine=False"
        )
    return unit(head.values.astype(np.float64))


def _bias(bias: ArrayLike | None, classes: int, cosine: bool) -> NDArray[np.float64]:
    if bias is None:
        return np.zeros(classes)
    if cosine:
        raise InputError("bias is given for a cosine head, which has none; pass bias=None, or cosine=False")
    try:
        offsets = np.asarray(bias, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"bias can't be read as numbers ({error}); pass one per row of weights") from error
    if offsets.shape != (classes,):
        raise InputError(
            f"bias has shape {offsets.shape} and weights {counted(classes, 'row')}; pass one number per row"
        )
    if not np.isfinite(offsets).all():
        first = int(np.flatnonzero(~np.isfinite(offsets))[0])
        raise InputError(f"bias is {offsets[first]} at class {first}; pass finite numbers")
    return offsets


def _classes(classes: Sequence[Any] | None, count: int) -> NDArray[Any]:
    if classes is None:
        return np.arange(count)
    names = class_column(classes, "classes")
    if len(names) != count or len(np.unique(names)) != count:
        raise InputError(
            f"classes names {counted(len(np.unique(names)), 'class')} and weights has "
            f"{counted(count, 'row')}; pass the class of each row, each once"
        )
    return names


def _refuse_other_dimension(vectors: Vectors, head: Vectors) -> None:
    if vectors.dimension == head.dimension:
        return
    fix = "map them to the old space with an adapter first"
    if vectors.dimension > head.dimension:
        fix = f"pass {vectors.name}[:, :{head.dimension}] if the new model was trained so, or {fix}"
    if vectors.dimension == len(head):
        fix = "pass one row per class, shape (classes, d), which may be weights.T"
    raise InputError(
        f"{vectors.name} has {counted(vectors.dimension, 'dimension')} and weights has {head.dimension:,}; {fix}"
    )


def _unknown(labels: NDArray[Any], names: NDArray[Any], unknown: str) -> bool:
    if unknown not in {"refuse", "count apart"}:
        raise InputError(f"unknown is {unknown!r}; pass 'refuse' or 'count apart'")
    strange = ~np.isin(labels, names) if (labels.dtype.kind == "U") == (names.dtype.kind == "U") else np.ones(1, bool)
    if not strange.any():
        return False
    if strange.all():
        raise InputError(
            f"no label ({labels[0]!s}, ...) is a class of the head ({names[0]!s}, ...); pass classes=[...] with the "
            f"class of each row of weights, in order"
        )
    if unknown == "refuse":
        told = np.unique(labels[strange])
        raise InputError(
            f"labels has {counted(int(strange.sum()), 'item')} of {counted(len(told), 'class')} that no row of weights "
            f"stands for ({', '.join(map(str, told[:3].tolist()))}{', ...' if len(told) > 3 else ''}); leave these "
            f"items out, or pass unknown='count apart'"
        )
    return True
