"""The result of a cross test: which query model finds what in which gallery, and what an upgrade gains by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import group_numbers, proportion, same_length, seed_number
from segue.flips.estimate import Estimate
from segue.retrieval import cross_words
from segue.retrieval.asked import refuse_other_than_two_names
from segue.retrieval.estimates import Undefined, as_metric, mean_difference, mean_over_queries
from segue.retrieval.update_gain import update_gain

SCHEMA = "segue.retrieval.cross/1"
Mapped = Literal["nothing", "queries", "gallery"]


class Compatible(StrEnum):
    """Whether new queries do better on the old gallery than old queries did."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "can't tell"


@dataclass(frozen=True, eq=False)
class CrossTest:
    r"""The table of M(query model, gallery model), with what follows from it.

    All intervals are over queries; those of differences are paired, on the same queries.

    Attributes:
        measure: The measure M, such as ``cmc@1``.
        confidence: Nominal coverage of the intervals.
        queries: Number of queries that count.
        without_relevant: Number of queries to which nothing is relevant.
        undefined: What these count: ``"leave out"`` or ``"zero"``.
        old_old: Old queries on the old gallery.
        new_old: New queries on the old gallery, by a map where ``mapped`` says so.
        new_new: New queries on the new gallery.
        paragon: The paragon's queries on the paragon's gallery; ``None`` where there is none.
        criterion: ``new_old - old_old``: compatible when above 0 (Shen et al., CVPR 2020).
        upgrade: The paragon, or else ``new_new``, minus ``old_old``.
        backfill_gain: ``new_new - new_old``: what re-embedding the gallery adds.
        cost: ``new_new - paragon``: what being compatible costs; ``None`` without a paragon.
        update_gain: ``criterion / upgrade``; undefined where the upgrade is not shown to be an improvement.
        metric: What vectors were compared by; ``None`` where that is not known.
        mapped: What a map brought into the other model's space for ``new_old``: ``"nothing"``, ``"queries"`` or
            ``"gallery"``.
        groups: How many groups the queries came in; ``None`` where they are independent.
        names: What the old and the new model are called.
        per_query: M of each query by cell, ``(q,)``; NaN where nothing is relevant. Not part of :meth:`to_dict`.

    Example:
        >>> found = CrossTest.of(old_old=[0.0] * 60 + [1.0] * 40, new_old=[0.0] * 40 + [1.0] * 60, new_new=[1.0] * 100)
        >>> found.compatible, round(found.update_gain.value, 4)  # (0.6 - 0.4) / (1.0 - 0.4)
        (<Compatible.YES: 'yes'>, 0.3333)
    """

    measure: str
    confidence: float
    queries: int
    without_relevant: int
    undefined: Undefined
    old_old: Estimate
    new_old: Estimate
    new_new: Estimate
    paragon: Estimate | None
    criterion: Estimate
    upgrade: Estimate
    backfill_gain: Estimate
    cost: Estimate | None
    update_gain: Estimate
    metric: str | None = None
    mapped: Mapped = "nothing"
    groups: int | None = None
    names: tuple[str, str] = ("old", "new")
    per_query: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        old_old: ArrayLike,
        new_old: ArrayLike,
        new_new: ArrayLike,
        paragon: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        measure: str = "measure",
        metric: str | None = None,
        mapped: Mapped = "nothing",
        undefined: Undefined = "leave out",
        confidence: float = 0.95,
        seed: int = 0,
        names: tuple[str, str] = ("old", "new"),
    ) -> CrossTest:
        """Put a cross test together from the metric of each query, measured by whatever means.

        Args:
            old_old: Old queries on the old gallery, ``(q,)``, in [0, 1]; NaN where nothing is relevant.
            new_old: New queries on the old gallery, ``(q,)``.
            new_new: New queries on the new gallery, ``(q,)``.
            paragon: The paragon's queries on its gallery, ``(q,)``.
            groups: Which person, product or session each query comes from, ``(q,)``.
            measure: What the metric is called.
            metric: What vectors were compared by, if it is known.
            mapped: What a map brought into the other model's space for ``new_old``.
            undefined: What queries to which nothing is relevant count: ``"leave out"`` or ``"zero"``.
            confidence: Nominal coverage of the intervals.
            seed: Seed of the bootstrap.
            names: What the old and the new model are called.

        Returns:
            The cross test.

        Raises:
            InputError: If lengths differ, a value is outside [0, 1], a query is defined for some cells only, or none
                is.
        """
        refuse_choices(undefined, confidence, names, seed)
        given = {"old_old": old_old, "new_old": new_old, "new_new": new_new, "paragon": paragon}
        cells = {name: as_metric(values, name) for name, values in given.items() if values is not None}
        count = same_length(cells)
        missing = np.isnan(cells["old_old"])
        if missing.all():
            raise InputError("old_old has a value for no query; pass queries to which something is relevant")
        for name, values in cells.items():
            apart = np.flatnonzero(np.isnan(values) != missing)
            if len(apart):
                raise InputError(
                    f"old_old and {name} disagree on whether anything is relevant to {len(apart):,} of the queries, "
                    f"first at query {apart[0]}; measure all cells with the same relevance"
                )
        group = group_numbers(groups, count, "old_old")

        def mean(name: str) -> Estimate:
            return mean_over_queries(cells[name], groups=groups, undefined=undefined, confidence=confidence, seed=seed)

        def change(old: str, new: str) -> Estimate:
            return mean_difference(
                cells[old], cells[new], groups=groups, undefined=undefined, confidence=confidence, seed=seed
            )

        best = "paragon" if "paragon" in cells else "new_new"
        upgrade = change("old_old", best)
        kept = np.ones(count, dtype=bool) if undefined == "zero" else ~missing
        old, bridged, goal = (np.nan_to_num(cells[name][kept]) for name in ("old_old", "new_old", best))
        by_group = None if group is None else group[kept]
        return cls(
            measure=measure,
            confidence=confidence,
            queries=int(kept.sum()),
            without_relevant=int(missing.sum()),
            undefined=undefined,
            old_old=mean("old_old"),
            new_old=mean("new_old"),
            new_new=mean("new_new"),
            paragon=mean("paragon") if best == "paragon" else None,
            criterion=change("old_old", "new_old"),
            upgrade=upgrade,
            backfill_gain=change("new_old", "new_new"),
            cost=change("paragon", "new_new") if best == "paragon" else None,
            update_gain=update_gain(old, bridged, goal, upgrade, groups=by_group, confidence=confidence, seed=seed),
            metric=metric,
            mapped=mapped,
            groups=None if by_group is None else len(np.unique(by_group)),
            names=names,
            per_query=cells,
        )

    @property
    def compatible(self) -> Compatible:
        """Yes where the whole interval of the criterion is above 0, no where it is not above 0 anywhere."""
        if self.criterion.low > 0:
            return Compatible.YES
        return Compatible.NO if self.criterion.high <= 0 else Compatible.UNDECIDED

    @property
    def cells(self) -> dict[str, Estimate]:
        """The table: M by query model and gallery model."""
        cells = {"old_old": self.old_old, "new_old": self.new_old, "new_new": self.new_new}
        return cells if self.paragon is None else {**cells, "paragon": self.paragon}

    def __str__(self) -> str:
        """Return the table, and in words what follows from it."""
        return cross_words.told(self)

    def _repr_html_(self) -> str:
        """Return the same for notebooks."""
        return cross_words.html_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return every number by name, ready for JSON; the values of single queries are left to ``per_query``."""
        changes = {
            "criterion": self.criterion,
            "upgrade": self.upgrade,
            "backfill_gain": self.backfill_gain,
            "cost": self.cost,
            "update_gain": self.update_gain,
        }
        return {
            "schema": SCHEMA,
            "names": {"old": self.names[0], "new": self.names[1]},
            "measure": self.measure,
            "metric": self.metric,
            "mapped": self.mapped,
            "confidence": self.confidence,
            "queries": self.queries,
            "without_relevant": self.without_relevant,
            "undefined": self.undefined,
            "groups": self.groups,
            **{name: cell.to_dict() for name, cell in self.cells.items()},
            **({} if self.paragon is not None else {"paragon": None}),
            **{name: None if change is None else change.to_dict() for name, change in changes.items()},
            "compatible": str(self.compatible),
        }


def refuse_choices(undefined: str, confidence: float, names: tuple[str, str], seed: int) -> None:
    """Refuse before anything is searched what would be refused after it.

    Args:
        undefined: What queries to which nothing is relevant count.
        confidence: Nominal coverage.
        names: What the old and the new model are called.
        seed: Seed of the bootstrap.

    Raises:
        InputError: If it is none of the choices, no proportion, no pair, or no seed.
    """
    proportion(confidence, "confidence")
    if undefined not in get_args(Undefined):
        raise InputError(f"undefined is {undefined!r}; pass {' or '.join(map(repr, get_args(Undefined)))}")
    refuse_other_than_two_names(names)
    seed_number(seed)
