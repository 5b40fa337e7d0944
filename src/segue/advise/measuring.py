"""Measuring the ways to the new model, query by query, so that all differences are paired.

The upgrade, and the old model with it, is measured among the items of the sample, which both models have embedded. A
map is measured where it would be used, in the stored gallery, if that is given; else on held-out items, each fold
searching itself. A map's kind is chosen by :func:`segue.adapters.fit_best`, whose measurement is cross-fitted; queries
of their own have no part in the choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.adapters import Adapter, AdapterChoice, Slerp, fit_best
from segue.adapters.best import LEAST_PAIRS
from segue.advise.asked import Asked
from segue.advise.cost import Prices
from segue.advise.kept import share_kept
from segue.advise.option import ALONE, UNLABELLED, UNSEEN, Option, Way
from segue.advise.sample import Asking, Sample
from segue.advise.sampling import arms, drawn_labels, labels_counted, widened, wider
from segue.errors import InputError
from segue.flips.estimate import Estimate
from segue.flips.graded import Change
from segue.retrieval import Relevance, query_values

Values = NDArray[np.float64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Upgrade:
    """The old and the new model, each on its own vectors of the sample's items.

    Attributes:
        old: The measure of each query with the old model, ``(q,)``; NaN where nothing is relevant.
        new: With the new model.
        labels: The label of each query, ``(q,)``.
        arms: What the arms of an interval over queries are multiplied by, since the items are a sample, too.
    """

    old: Values
    new: Values
    labels: NDArray[Any]
    arms: float

    @property
    def queries(self) -> int:
        """How many queries could be measured."""
        return int((~np.isnan(self.old)).sum())

    @property
    def label_count(self) -> int:
        """How many labels these have."""
        return labels_counted(self.labels, self.old)


@dataclass(frozen=True, eq=False)
class Mapped:
    """A map, measured query by query.

    Attributes:
        old: The measure of each query with the old model in the same search, ``(q,)``.
        through: Through the map.
        ends: With the old and with the new model among the sample's items; ``None`` where that is not known.
        labels: The label of each query, ``(q,)``; ``None`` where relevant is what the new model finds.
    """

    old: Values
    through: Values
    ends: tuple[Values, Values] | None
    labels: NDArray[Any] | None


def upgrade_of(sample: Sample, asked: Asked) -> Upgrade | None:
    """Measure both models among the items.

    Args:
        sample: The sample.
        asked: How to measure.

    Returns:
        Both models' values; ``None`` where there are no labels, or no query has a relevant item.
    """
    relevance, queries = sample.among_items(), sample.asked
    if relevance is None or queries is None or not (relevance.totals > 0).any():
        return None
    old = query_values(asked.measure, queries.old, sample.old, relevance)
    new = query_values(asked.measure, queries.new, sample.new, relevance)
    factor = arms(int((~np.isnan(old)).sum()), len(sample), each_other=sample.queries is None)
    return Upgrade(old, new, queries.labels, factor)


def plain_options(sample: Sample, upgrade: Upgrade | None, asked: Asked, prices: Prices) -> dict[Way, Option]:
    """Measure what needs no map: the old model as it is, and the new one with everything re-embedded.

    Args:
        sample: The sample.
        upgrade: Both models' values.
        asked: How to measure.
        prices: What encoders cost.

    Returns:
        The options by way.
    """
    still, anew = prices.of(old=1, new=0), prices.of(old=0, new=1, embeds=True, rewrites=True)
    if upgrade is None:
        why_not = UNLABELLED if sample.labels is None else ALONE if sample.queries is None else UNSEEN
        return {
            Way.CHANGE_NOTHING: Option(Way.CHANGE_NOTHING, still, why_not=why_not),
            Way.RE_EMBED: Option(Way.RE_EMBED, anew, why_not=why_not),
        }
    among = len(sample) - (1 if sample.queries is None else 0)
    before = asked.mean(upgrade.old, upgrade.labels)
    gain = asked.change(upgrade.old, upgrade.new, upgrade.labels, factor=upgrade.arms)
    same, all_of_it = Estimate(0.0, 0.0, 0.0), Estimate(1.0, 1.0, 1.0)
    return {
        Way.CHANGE_NOTHING: Option(Way.CHANGE_NOTHING, still, before, before, same, searched=among),
        Way.RE_EMBED: Option(
            Way.RE_EMBED, anew, asked.mean(upgrade.new, upgrade.labels), before, gain,
            left=same, share=all_of_it if gain.value > 0 else None, searched=among,
        ),
    }  # fmt: skip


def map_option(way: Way, sample: Sample, upgrade: Upgrade | None, asked: Asked, prices: Prices) -> Option:
    """Choose a map of a kind, and measure it.

    The intervals of its difference to the old model, and of the share of the upgrade that it keeps, are wider, by
    Bonferroni's rule, since there are three kinds.

    Args:
        way: One of ``MAPS``.
        sample: The sample.
        upgrade: Both models' values among the items.
        asked: How to measure.
        prices: What encoders cost.

    Returns:
        The option, with the map fitted on all items.
    """
    cost = prices.of(old=int(way is Way.BLEND_QUERIES), new=1, rewrites=way is Way.MAP_GALLERY)
    least = max(LEAST_PAIRS, 2 * asked.folds)
    if len(sample) < least:
        return Option(way, cost, why_not=f"{len(sample):,} items are fewer than the {least:,} that a map is chosen by")
    try:
        choice = _chosen(way, sample, asked)
        mapped = _measured(way, choice, sample, upgrade, asked)
    except InputError as error:
        return Option(way, cost, why_not=str(error))
    difference = asked.change(mapped.old, mapped.through, mapped.labels, among_maps=True)
    left, share = _left(mapped, asked, 1.0 if upgrade is None else upgrade.arms)
    return Option(
        way, cost, asked.mean(mapped.through, mapped.labels), asked.mean(mapped.old, mapped.labels), difference,
        left, share,
        searched=choice.searched if sample.gallery is None else len(sample.gallery),
        real_gallery=sample.gallery is not None, agreement=sample.gallery is None and not choice.labelled,
        adapter=choice.adapter,
    )  # fmt: skip


def _chosen(way: Way, sample: Sample, asked: Asked) -> AdapterChoice:
    source, target = (sample.old, sample.new) if way is Way.MAP_GALLERY else (sample.new, sample.old)
    searched: dict[str, Any] = {}
    if sample.labels is not None and sample.gallery is not None:
        searched = {"gallery": sample.gallery, "gallery_labels": sample.gallery_labels}
    return fit_best(
        source, target, side="gallery" if way is Way.MAP_GALLERY else "queries", labels=sample.labels,
        both_encoders=way is Way.BLEND_QUERIES, measure=asked.measure, folds=asked.folds, seed=asked.seed,
        confidence=asked.confidence, **searched,
    )  # fmt: skip


def _measured(way: Way, choice: AdapterChoice, sample: Sample, upgrade: Upgrade | None, asked: Asked) -> Mapped:
    before, through = choice.per_query["old_old"], choice.per_query["new_old"]
    if sample.gallery is None or sample.gallery_labels is None:
        own = (before, choice.per_query["new_new"]) if choice.labelled else None
        return Mapped(before, through, own, sample.labels)
    ends = None if upgrade is None else (upgrade.old, upgrade.new)
    if sample.queries is None:
        return Mapped(before, through, ends, sample.labels)
    relevance = Relevance.from_labels(sample.queries.labels, sample.gallery_labels)
    queries, gallery = _searched_by(way, choice.adapter, sample.queries, sample.gallery)
    return Mapped(
        query_values(asked.measure, sample.queries.old, sample.gallery, relevance),
        query_values(asked.measure, queries, gallery, relevance),
        ends,
        sample.queries.labels,
    )


def _searched_by(
    way: Way, adapter: Adapter, queries: Asking, gallery: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    if way is Way.MAP_GALLERY:
        return queries.new, adapter.transform(gallery)
    if isinstance(adapter, Slerp) and way is Way.BLEND_QUERIES:
        return adapter.blend(queries.new, queries.old), gallery
    return adapter.transform(queries.new), gallery


def _left(mapped: Mapped, asked: Asked, factor: float) -> tuple[Estimate | None, Estimate | None]:
    # what the upgrade gains beyond the map, each against the old model in the same search, and the map's share of it
    if mapped.ends is None:
        return None, None
    gained, whole = mapped.through - mapped.old, mapped.ends[1] - mapped.ends[0]
    both = ~np.isnan(gained) & ~np.isnan(whole)
    if not both.any():
        return None, None
    drawn = drawn_labels(mapped.labels, gained, whole)
    labels = None if drawn is None else np.unique(drawn[both], return_inverse=True)[1]
    beyond = (whole - gained)[both]
    left = widened(Change.of(beyond, 2.0).mean(asked.confidence), factor, most=2.0)
    if labels is not None:
        left = wider(left, Change.of(beyond, 2.0, groups=labels, seed=asked.seed).mean(asked.confidence))
    return left, share_kept(gained[both], whole[both], labels, factor, asked.among_maps)
