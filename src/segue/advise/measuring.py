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
from segue.advise.cost import Prices
from segue.advise.option import MAPS, Option, Way
from segue.advise.sample import Asking, Sample
from segue.advise.sampling import arms, widened
from segue.errors import InputError
from segue.flips.estimate import Estimate
from segue.flips.graded import Change
from segue.retrieval import Relevance, mean_difference, mean_over_queries, query_values

Values = NDArray[np.float64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Upgrade:
    """The old and the new model, each on its own vectors of the sample's items.

    Attributes:
        old: The measure of each query with the old model, ``(q,)``.
        new: With the new model.
    """

    old: Values
    new: Values


@dataclass(frozen=True)
class Asked:
    """How things are measured.

    Attributes:
        measure: The measure's name.
        folds: Folds of the sample.
        seed: Their seed.
        confidence: Coverage of the intervals.
    """

    measure: str
    folds: int
    seed: int
    confidence: float

    def mean(self, values: Values) -> Estimate:
        """Return the mean of a measure.

        Args:
            values: The measure of each query, ``(q,)``.
        """
        return mean_over_queries(values, confidence=self.confidence, seed=self.seed)

    def change(self, old: Values, new: Values, confidence: float | None = None) -> Estimate:
        """Return the mean change of a measure on the same queries.

        Args:
            old: The measure before, ``(q,)``.
            new: The measure after.
            confidence: Coverage, if it is another.
        """
        return mean_difference(old, new, confidence=confidence or self.confidence, seed=self.seed)


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
    return Upgrade(
        query_values(asked.measure, queries.old, sample.old, relevance),
        query_values(asked.measure, queries.new, sample.new, relevance),
    )


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
        why_not = "no labels to measure it by"
        return {
            Way.CHANGE_NOTHING: Option(Way.CHANGE_NOTHING, still, why_not=why_not),
            Way.RE_EMBED: Option(Way.RE_EMBED, anew, why_not=why_not),
        }
    among = len(sample) - (1 if sample.queries is None else 0)
    before = asked.mean(upgrade.old)
    factor = arms(int((~np.isnan(upgrade.old)).sum()), len(sample), each_other=sample.queries is None)
    gain = widened(asked.change(upgrade.old, upgrade.new), factor)
    same = Estimate(0.0, 0.0, 0.0)
    return {
        Way.CHANGE_NOTHING: Option(Way.CHANGE_NOTHING, still, before, before, same, searched=among),
        Way.RE_EMBED: Option(
            Way.RE_EMBED, anew, asked.mean(upgrade.new), before, gain,
            left=same, share=1.0 if gain.value > 0 else None, searched=among,
        ),
    }  # fmt: skip


def map_option(way: Way, sample: Sample, upgrade: Upgrade | None, asked: Asked, prices: Prices) -> Option:
    """Choose a map of a kind, and measure it.

    The interval of its difference to the old model is wider, by Bonferroni's rule, since there are three kinds.

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
        old, through, best = _values(way, choice, sample, upgrade, asked)
    except InputError as error:
        return Option(way, cost, why_not=str(error))
    difference = asked.change(old, through, 1 - (1 - asked.confidence) / len(MAPS))
    left, share = (None, None) if best is None else _left(old, through, best, asked.confidence)
    return Option(
        way, cost, asked.mean(through), asked.mean(old), difference, left, share,
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


def _values(
    way: Way, choice: AdapterChoice, sample: Sample, upgrade: Upgrade | None, asked: Asked
) -> tuple[Values, Values, tuple[Values, Values] | None]:
    # the old model, the map, and both ends of the upgrade on the same queries
    before, through = choice.per_query["old_old"], choice.per_query["new_old"]
    if sample.gallery is None or sample.gallery_labels is None:
        return before, through, (before, choice.per_query["new_new"]) if choice.labelled else None
    ends = None if upgrade is None else (upgrade.old, upgrade.new)
    if sample.queries is None:
        return before, through, ends
    relevance = Relevance.from_labels(sample.queries.labels, sample.gallery_labels)
    queries, gallery = _mapped(way, choice.adapter, sample.queries, sample.gallery)
    return (
        query_values(asked.measure, sample.queries.old, sample.gallery, relevance),
        query_values(asked.measure, queries, gallery, relevance),
        ends,
    )


def _mapped(way: Way, adapter: Adapter, queries: Asking, gallery: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    if way is Way.MAP_GALLERY:
        return queries.new, adapter.transform(gallery)
    if isinstance(adapter, Slerp) and way is Way.BLEND_QUERIES:
        return adapter.blend(queries.new, queries.old), gallery
    return adapter.transform(queries.new), gallery


def _left(
    old: Values, through: Values, ends: tuple[Values, Values], confidence: float
) -> tuple[Estimate | None, float | None]:
    # what the upgrade gains beyond the map, each against the old model in the same search
    gained, whole = through - old, ends[1] - ends[0]
    both = ~np.isnan(gained) & ~np.isnan(whole)
    if not both.any():
        return None, None
    left = Change.of((whole - gained)[both], 2.0).mean(confidence)
    upgrade = float(whole[both].mean())
    return left, float(gained[both].mean()) / upgrade if upgrade > 0 else None
