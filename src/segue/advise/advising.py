"""The whole of it: read the sample, measure the options, apply the rules."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from segue.adapters.ranges import above_zero, at_least_zero, share, whole_number
from segue.advise.advice import Advice
from segue.advise.asked import Asked
from segue.advise.cost import Prices
from segue.advise.measuring import Progress, Upgrade, map_option, plain_options, upgrade_of
from segue.advise.option import MAPS, Option, Way
from segue.advise.rules import Limits, decide, nothing_to_gain
from segue.advise.same_space import same_space
from segue.advise.sample import Sample, read_sample
from segue.advise.sampling import FEWEST_LABELS
from segue.errors import InputError
from segue.flips.checks import counted, proportion
from segue.retrieval.asked import refuse_other_than_two_names
from segue.retrieval.measures import named_measure


def advise(
    old: ArrayLike,
    new: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    queries_old: ArrayLike | None = None,
    queries_new: ArrayLike | None = None,
    query_labels: ArrayLike | None = None,
    gallery_old: ArrayLike | None = None,
    gallery_labels: ArrayLike | None = None,
    gallery_size: int | None = None,
    seconds_per_item: float | None = None,
    old_seconds_per_item: float | None = None,
    measure: str = "cmc@1",
    keep: float = 0.5,
    worthwhile: float = 0.01,
    folds: int = 5,
    confidence: float = 0.95,
    seed: int = 0,
    names: tuple[str, str] = ("the old model", "the new model"),
    progress: Progress | None = None,
) -> Advice:
    """Measure the ways to a new embedding model on one calibration sample, and say which one the numbers support.

    Search is by cosine.

    Args:
        old: Items as the old model embeds them, ``(n, d_old)``.
        new: The same items, row by row, as the new model does, ``(n, d_new)``.
        labels: Their labels, ``(n,)``; an item is relevant to those of its label. Without labels nothing can be said
            of whether the new model is better.
        queries_old: Queries apart from the items, as the old model embeds them, ``(q, d_old)``; without, each item
            asks for the others.
        queries_new: The same queries as the new model embeds them, ``(q, d_new)``.
        query_labels: Their labels, ``(q,)``.
        gallery_old: What the old model has stored, ``(m, d_old)``, or a large sample of it, without the items and
            queries above. Without it no map is recommended, since among few items maps look better than they are.
        gallery_labels: Its labels, ``(m,)``.
        gallery_size: How many items are stored in all, for the cost, those of ``gallery_old`` and ``old`` among them;
            these by default, where ``gallery_old`` is given.
        seconds_per_item: What the new model takes to embed an item, for the cost.
        old_seconds_per_item: What the old model takes.
        measure: The quality that counts, such as ``"cmc@1"`` or ``"map"``.
        keep: The least share of the upgrade that makes a map worth it; a map has to be shown to keep it.
        worthwhile: The least upgrade that is worth it, such as 0.01 for a point of the measure; the upgrade has to be
            shown to be no less.
        folds: Folds of the sample, for choosing maps.
        confidence: Nominal coverage of the intervals.
        seed: Seed of the folds and of the bootstrap.
        names: What the models are called.
        progress: Called with the running step and the share done.

    Returns:
        The options with their numbers, and the one that is supported; see :mod:`segue.advise.rules` for the rules.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> old, turn = rng.normal(size=(60, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
        >>> str(advise(old, old @ turn).recommended)
        'change nothing'
    """
    asked, limits = _asked(measure, folds, seed, confidence), _limits(keep, worthwhile, confidence)
    refuse_other_than_two_names(names)
    for name, value in (("seconds_per_item", seconds_per_item), ("old_seconds_per_item", old_seconds_per_item)):
        if value is not None:
            above_zero(value, name)
    sample = read_sample(old, new, labels, (queries_old, queries_new, query_labels), (gallery_old, gallery_labels))
    _refuse_too_deep(sample, measure)
    gallery_size = _stored(gallery_size, sample)
    prices = Prices(gallery_size, len(sample), old_seconds_per_item, seconds_per_item)
    tell = progress or (lambda step, done: None)
    tell("measuring both models", 0.0)
    upgrade = upgrade_of(sample, asked)
    options = plain_options(sample, upgrade, asked, prices)
    same = nothing_to_gain(options[Way.RE_EMBED].difference, same=same_space(sample.old, sample.new))
    for place, way in enumerate(MAPS, start=1):
        tell(f"trying to {way}", place / (len(MAPS) + 1))
        options[way] = _skipped(way, prices) if same else map_option(way, sample, upgrade, asked, prices)
    options[Way.TRAIN] = Option(
        Way.TRAIN, prices.of(old=0, new=1, trains=True), why_not="it can't be seen from embeddings"
    )
    queries = 0 if upgrade is None else upgrade.queries
    return Advice(
        options=tuple(options[way] for way in Way),
        decision=decide(options, same=same, queries=queries, limits=limits),
        limits=limits,
        measure=named_measure(measure).name,
        items=len(sample),
        queries=queries,
        labels=0 if upgrade is None else upgrade.label_count,
        same_space=same,
        notes=tuple(_notes(sample, upgrade, asked, same)),
        names=names,
    )


def _asked(measure: str, folds: int, seed: int, confidence: float) -> Asked:
    whole_number(folds, "folds", 2)
    whole_number(seed, "seed", 0)
    return Asked(named_measure(measure).name, folds, seed, proportion(confidence, "confidence"))


def _stored(gallery_size: int | None, sample: Sample) -> int | None:
    passed = len(sample) + (0 if sample.gallery is None else len(sample.gallery))
    if gallery_size is None:
        return None if sample.gallery is None else passed
    whole_number(gallery_size, "gallery_size", 1)
    if gallery_size < passed:
        held = "old holds" if sample.gallery is None else "old and gallery_old hold"
        raise InputError(
            f"gallery_size is {gallery_size:,} and {held} {passed:,} items; pass how many are stored in all, these "
            f"among them"
        )
    return gallery_size


def _limits(keep: float, worthwhile: float, confidence: float) -> Limits:
    share(keep, "keep")
    at_least_zero(worthwhile, "worthwhile")
    share(worthwhile, "worthwhile")
    return Limits(keep, worthwhile, confidence)


def _skipped(way: Way, prices: Prices) -> Option:
    cost = prices.of(old=int(way is Way.BLEND_QUERIES), new=1, rewrites=way is Way.MAP_GALLERY)
    return Option(way, cost, why_not="both models are the same space")


def _refuse_too_deep(sample: Sample, measure: str) -> None:
    k, findable = named_measure(measure).k, len(sample) - (1 if sample.queries is None else 0)
    if k is not None and k >= findable:
        raise InputError(
            f"measure {named_measure(measure).name!r} looks at the {k:,} nearest, and a query searches "
            f"{counted(findable, 'item')}, so that any model finds all; pass a smaller rank, or more items"
        )


def _notes(sample: Sample, upgrade: Upgrade | None, asked: Asked, same: bool) -> list[str]:
    notes = [
        f"brackets hold {100 * asked.confidence:g}% intervals"
        + ("" if same else f" ({100 * asked.among_maps:.1f}% ones where one of {len(MAPS)} kinds of maps is judged)")
        + " over queries or over labels, whichever are wider; that of the upgrade allows for the items being a sample"
    ]
    if upgrade is not None and upgrade.label_count < FEWEST_LABELS:
        notes[0] = notes[0].replace(" or over labels, whichever are wider", "")
        only = counted(upgrade.label_count, "label")
        notes.append(f"the queries have {only} only, so that all this holds for these and says nothing of others")
    if upgrade is not None and sample.queries is None:
        notes.append(f"each of the {len(sample):,} items is a query that searches the others")
    if upgrade is not None and np.isnan(upgrade.old).any():
        left = int(np.isnan(upgrade.old).sum())
        notes.append(f"{counted(left, 'query') if left == 1 else f'{left:,} queries'} left out: nothing is relevant")
    for count, what in zip(sample.repeated, ("item", "query"), strict=True):
        if count:
            several = counted(count, what) if what == "item" or count == 1 else f"{count:,} queries"
            notes.append(f"{several} are there more than once, in both models: each copy counts")
    if sample.labels is None and sample.queries is not None:
        notes.append("the items have no labels, so that both models can't be compared among them; pass labels")
    widest = max(sample.old.shape[1], sample.new.shape[1])
    if len(sample) < widest and not same:
        notes.append(
            f"{len(sample):,} items are fewer than the {widest:,} dimensions: maps rest on little, and more items that "
            f"both models have embedded would make them better"
        )
    if same:
        return notes
    if sample.gallery is not None and upgrade is not None:
        notes.append(
            f"maps search the stored gallery, both models the {len(sample):,} items that both have embedded: compare "
            f"each with the old model there, not with each other; a map's share is its gain over that of the upgrade"
        )
    if sample.gallery is None:
        notes.append("no stored gallery was given: maps were tried on held-out items only, where they look better")
    return notes
