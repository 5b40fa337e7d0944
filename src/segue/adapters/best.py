"""Choose a map and its strength by cross-validation within the pairs at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.base import Adapter
from segue.adapters.calibration import (
    read_gallery,
    read_labels,
    refuse_labels_of_two_types,
    refuse_one_class,
    refuse_twins,
)
from segue.adapters.candidates import blended_maps, gallery_maps, labelled_maps, query_maps
from segue.adapters.choice import AdapterChoice, Tried
from segue.adapters.folds import Belonging, belonging, folds_of
from segue.adapters.pairs import read_pairs, read_vectors
from segue.adapters.ranges import above_zero, whole_number
from segue.adapters.spherical import Slerp
from segue.adapters.trial import Side, Trial
from segue.errors import InputError
from segue.flips.checks import group_numbers, proportion
from segue.flips.estimate import Estimate
from segue.retrieval import mean_difference, mean_over_queries
from segue.retrieval.measures import named_measure

LEAST_PAIRS = 20
SHARES = (0.25, 0.5, 1.0)


def fit_best(
    source: ArrayLike,
    target: ArrayLike,
    *,
    side: Side,
    labels: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    gallery: ArrayLike | None = None,
    gallery_labels: ArrayLike | None = None,
    both_encoders: bool = False,
    adapters: Sequence[Adapter] | None = None,
    measure: str = "cmc@1",
    folds: int = 5,
    seconds_per_item: float | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> AdapterChoice:
    """Fit the map that serves search best, and say whether it is better than the old model.

    Each candidate is fitted without a fold of the pairs; the fold's new vectors then search, through the map, what the
    old model stored: ``gallery``, where it is given, or the fold's own pairs. The candidate with the best mean is
    fitted on all pairs. Its quality is measured by cross-fitting: chosen on one half of the folds, measured on the
    other, and the other way round.

    Args:
        source: Vectors of the pairs on the side that is mapped, ``(n, d_source)``: the new model's for
            ``side="queries"``, the old model's for ``side="gallery"``.
        target: The same items as the other model embeds them, ``(n, d_target)``.
        side: ``"queries"`` maps new queries into the old space and leaves the gallery as it is; ``"gallery"`` maps
            stored vectors into the new space.
        labels: Label of each pair, ``(n,)``, of at least two classes: an item is relevant to those of its label.
            Without labels, relevant is the item that the new model finds nearest; that chooses well among maps and says
            nothing of whether the new model is better.
        groups: Which person, product or session each pair comes from, ``(n,)``, any values: pairs that are no more
            independent than near copies of each other. No fold parts a group, and intervals are over groups. Pairs that
            repeat a row of ``source`` exactly belong together by themselves; those that are the same in target and
            label, too, do not find each other.
        gallery: Stored vectors of the old model, ``(m, d_old)``, none of them among the pairs, to be searched in place
            of the fold's pairs: quality then is that of a real search. A small gallery flatters a map.
        gallery_labels: Their labels, ``(m,)``.
        both_encoders: Whether the old model embeds queries, too, at query time, so that both can be blended
            (``side="queries"`` only); the choice is then a :class:`~segue.adapters.spherical.Slerp`, used by its
            ``blend``.
        adapters: The maps to try; by default what :mod:`segue.adapters.candidates` holds for this side.
        measure: The quality that counts, such as ``"cmc@1"`` or ``"map"``.
        folds: How many folds, from 2.
        seconds_per_item: What the new model takes to embed an item, to tell the cost of more pairs.
        confidence: Nominal coverage of the intervals.
        seed: Seed of the folds.

    Returns:
        The choice: the fitted map, its quality, and what else was tried.

    Raises:
        InputError: If anything passed is not as described, or there are too few pairs for so many folds.

    Example:
        >>> from segue.adapters import Procrustes, Ridge
        >>> rng = np.random.default_rng(0)
        >>> old = rng.normal(size=(60, 8))
        >>> turned = old @ np.linalg.qr(rng.normal(size=(8, 8)))[0]
        >>> choice = fit_best(turned, old, side="queries", adapters=[Procrustes(), Ridge(strength=100)])
        >>> choice.adapter
        Procrustes(center=True, unit=True)
    """
    if side not in {"queries", "gallery"}:
        raise InputError(f"side is {side!r}; pass 'queries' (new queries are mapped) or 'gallery' (stored vectors are)")
    if both_encoders and side != "queries":
        raise InputError("both_encoders is for side='queries'; a mapped gallery is searched by new queries alone")
    one, other = read_pairs(source, target, unit=True)
    pairs = len(one)
    whole_number(folds, "folds", 2)
    if seconds_per_item is not None:
        above_zero(seconds_per_item, "seconds_per_item")
    whole_number(seed, "seed", 0)
    proportion(confidence, "confidence")
    new, old = (one, other) if side == "queries" else (other, one)
    named = named_measure(measure)
    classes = None if labels is None else read_labels(labels, pairs, "labels", "source")
    rows = read_vectors(source, "source", unit=True).values
    belongs = belonging(rows, other, classes, group_numbers(groups, pairs, "source"))
    _refuse_too_few(pairs, belongs, folds)
    trial = Trial(
        old=old,
        new=new,
        side=side,
        folds=folds_of(pairs, folds, seed, belongs.sets),
        measure=named.name,
        labels=classes,
        **_gallery(gallery, gallery_labels, labels, old),
        both_encoders=both_encoders,
        copies=belongs.copies,
    )
    for name, column in (("labels", trial.labels), ("gallery_labels", trial.gallery_labels)):
        if column is not None:
            refuse_one_class(column, name)
    if trial.labels is not None and trial.gallery_labels is not None:
        refuse_labels_of_two_types(("labels", trial.labels), ("gallery_labels", trial.gallery_labels))
    if trial.fewest < 2:
        raise InputError(
            "groups and repeated rows leave a fold with a single item; pass smaller groups, each pair once, or fewer "
            "folds"
        )
    if named.k is not None and named.k >= trial.searched:
        raise InputError(
            f"measure {named.name!r} looks at the {named.k:,} nearest, and a query searches {trial.searched:,}, so "
            f"that any map finds all; pass a smaller rank, or a gallery"
        )
    candidates, values, failed = _measured(trial, _candidates(adapters, trial, pairs), every=adapters is not None)
    defined = ~np.isnan(values[0])
    if not defined.any():
        raise InputError("nothing is relevant to any pair; pass labels that several items share, or fewer folds")
    means = values[:, defined].mean(axis=1)
    best = int(means.argmax())
    chosen = candidates[best]
    through, before, after = _cross_fitted(values, trial.folds), trial.of_old(), trial.of_new()
    given: dict[str, Any] = {"groups": belongs.sets, "confidence": confidence}
    curve = _curve(trial, chosen, values[best], given)
    ranking = np.argsort(-means, kind="stable")
    return AdapterChoice(
        adapter=trial.fitted(chosen),
        side=side,
        measure=trial.measure,
        labelled=labels is not None,
        pairs=pairs,
        searched=trial.searched,
        real_gallery=trial.gallery is not None,
        both_encoders=both_encoders,
        old_old=mean_over_queries(before, **given),
        new_old=mean_over_queries(through, **given),
        new_new=None if after is None else mean_over_queries(after, **given),
        criterion=mean_difference(before, through, **given),
        curve=curve,
        tried=tuple(Tried(repr(candidates[row]), mean_over_queries(values[row], **given)) for row in ranking),
        seconds_per_item=seconds_per_item,
        failed=failed,
        groups=None if groups is None else belongs.parts,
        repeated=belongs.repeated,
        per_query={"old_old": before, "new_old": through, **({} if after is None else {"new_new": after})},
    )


def _refuse_too_few(pairs: int, belongs: Belonging, folds: int) -> None:
    least, different = max(LEAST_PAIRS, 2 * folds), pairs - belongs.repeated
    if different < least:
        told = f"are {pairs:,} pairs" if not belongs.repeated else f"are {different:,} different rows of source"
        raise InputError(
            f"there {told}; pass at least {least:,} to choose among maps with {folds} folds, or fit one such as "
            f"Procrustes() without a choice"
        )
    if belongs.parts is not None and belongs.parts < folds:
        raise InputError(
            f"groups leaves {belongs.parts:,} sets of pairs to deal into {folds} folds; pass more groups or fewer folds"
        )


def _measured(
    trial: Trial, candidates: Sequence[Adapter], *, every: bool
) -> tuple[list[Adapter], NDArray[np.float64], tuple[tuple[str, str], ...]]:
    # odd data (few dimensions, orthogonal items) have no place in some map: that is its fault, unless it was asked for
    kept, values = [], []
    failed: dict[str, str] = {}
    for adapter in candidates:
        try:
            values.append(trial.of(adapter))
            kept.append(adapter)
        except InputError as error:
            if every or len(failed) + 1 == len(candidates):
                raise
            failed[repr(adapter)] = str(error)
    return kept, np.stack(values), tuple(failed.items())


def _curve(
    trial: Trial, adapter: Adapter, full: NDArray[np.float64], given: dict[str, Any]
) -> tuple[tuple[int, Estimate], ...]:
    outside = len(trial.old) - max(map(len, trial.folds))
    steps = []
    for share in SHARES:
        try:
            values = full if share == 1 else trial.of(adapter, share)
        except InputError:  # too few for this map: the curve begins later
            continue
        steps.append((round(share * outside), mean_over_queries(values, **given)))
    return tuple(steps)


def _cross_fitted(values: NDArray[np.float64], folds: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    # each half of the folds from the candidate that is best on the other half, (candidates, n) to (n,)
    halves = [np.concatenate(folds[part::2]) for part in (0, 1)]
    through = np.empty(values.shape[1])
    for choose, measure in (halves, halves[::-1]):
        seen = values[:, choose]
        seen = seen[:, ~np.isnan(seen[0])]
        best = int(seen.mean(axis=1).argmax()) if seen.shape[1] else 0
        through[measure] = values[best, measure]
    return through


def _candidates(adapters: Sequence[Adapter] | None, trial: Trial, pairs: int) -> Sequence[Adapter]:
    if adapters is None:
        make = gallery_maps if trial.side == "gallery" else blended_maps if trial.both_encoders else query_maps
        of_classes = () if trial.labels is None or trial.both_encoders else labelled_maps(trial.side, pairs)
        return (*make(pairs), *of_classes)
    if not isinstance(adapters, (list, tuple)) or not all(isinstance(adapter, Adapter) for adapter in adapters):
        raise InputError("adapters holds something else than adapters; pass a list of maps such as [Ridge()]")
    if not adapters:
        raise InputError("adapters is empty; pass a list of maps such as [Ridge()], or leave it out")
    if not all(adapter.get_params().get("unit", True) for adapter in adapters):
        raise InputError("adapters has maps with unit=False; fit_best searches by cosine: pass unit=True")
    if trial.labels is None and any(adapter.needs_labels for adapter in adapters):
        raise InputError("adapters has maps that learn from labels; pass labels, the class of each pair")
    if trial.both_encoders and not all(isinstance(adapter, Slerp) for adapter in adapters):
        raise InputError("adapters has maps that blend nothing; with both_encoders pass Slerp(adapter=...)")
    return adapters


def _gallery(
    gallery: ArrayLike | None, gallery_labels: ArrayLike | None, labels: ArrayLike | None, old: NDArray[np.float32]
) -> dict[str, NDArray[np.generic] | None]:
    if gallery is None:
        if gallery_labels is not None:
            raise InputError("gallery_labels is given without gallery; pass the stored vectors, too")
        return {"gallery": None, "gallery_labels": None}
    if labels is None or gallery_labels is None:
        raise InputError("gallery is given without labels or gallery_labels; pass both, or leave the gallery out")
    stored, stored_labels = read_gallery(gallery, gallery_labels, old.shape[1])
    refuse_twins(old, stored, ("the old model's pairs", "gallery"))
    return {"gallery": stored, "gallery_labels": stored_labels}
