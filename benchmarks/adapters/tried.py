"""The maps that are compared: each is fitted once for a draw and a direction, and searched through."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.adapters.texts import Case, Floats
from segue.adapters import (
    FCT,
    Adapter,
    AdapterChoice,
    Adjoint,
    ClassAware,
    DirectionAdjoint,
    Ensemble,
    FastFill,
    KernelAdjoint,
    KernelRidge,
    LambdaOrthogonal,
    LocalMixture,
    LowRankAffine,
    Procrustes,
    ResidualMLP,
    Ridge,
    ScaledProcrustes,
    Slerp,
    fit_best,
)
from segue.adapters.candidates import PAIRS_PER_REGION

SIDES = ("gallery", "queries", "blend")
"""What is mapped: the old gallery into the new space; new queries into the old one; these, blended with old queries."""
DEFAULTS = {
    "gallery": "Ensemble(KernelRidge, LocalMixture)",
    "queries": "KernelAdjoint",
    "blend": "Slerp(KernelAdjoint)",
}
"""The one map of each side that is claimed, fixed before the test part was touched."""
LABELLED = {
    "gallery": "ClassAware(KernelRidge)",
    "queries": "ClassAware(KernelAdjoint)",
    "blend": "Slerp(ClassAware(KernelAdjoint))",
}
"""The same with the labels of the pairs, which no other map of this table learns from; fixed on the train part."""
BEST = "fit_best"
# The authors' width and batches (2,048 and 1,024) are for hundreds of thousands of pairs and take minutes each here.
BLENDED = {
    "KernelAdjoint": {DEFAULTS["blend"]: 0.5},
    "Procrustes": {"Slerp(Procrustes)": 0.5},
    LABELLED["queries"]: {LABELLED["blend"]: 0.5},
}
"""Blends of maps of queries, by the map and by their own names: how far they go to it from the old query."""
BLENDED_TOO = {
    "Ridge": {"Slerp(Ridge)": 0.5},
    "Adjoint": {"Slerp(Adjoint)": 0.5},
    "KernelAdjoint": {
        "Slerp(KernelAdjoint), amount 0.3": 0.3,
        DEFAULTS["blend"]: 0.5,
        "Slerp(KernelAdjoint), amount 0.7": 0.7,
    },
}
COURSE: dict[str, Any] = {"width": 512, "epochs": 30, "rate": 1e-3, "batch_size": 128}


@dataclass(frozen=True, eq=False)
class Search:
    """What a map made of queries and gallery.

    Attributes:
        side: One of ``SIDES``.
        adapter: Its name.
        queries: What searches.
        gallery: What is searched.
        seconds: What fitting took.
        told: What else is known.
    """

    side: str
    adapter: str
    queries: Floats
    gallery: Floats
    seconds: float
    told: dict[str, Any]


def local(pairs: int) -> LocalMixture:
    """Return a local mixture with as many regions as the pairs allow, sixteen at most."""
    return LocalMixture(regions=max(2, min(16, pairs // PAIRS_PER_REGION)))


def defaults(pairs: int) -> dict[tuple[str, str], Adapter]:
    """Return the maps of ``DEFAULTS`` by side and name, unfitted."""
    ensemble = Ensemble(adapters=[KernelRidge(width=0.3), local(pairs)])
    return {("gallery", DEFAULTS["gallery"]): ensemble, ("queries", DEFAULTS["queries"]): KernelAdjoint()}


def labelled() -> dict[tuple[str, str], Adapter]:
    """Return the maps of ``LABELLED`` by side and name, unfitted."""
    return {
        ("gallery", LABELLED["gallery"]): ClassAware(adapter=KernelRidge(width=0.3), amount=0.5),
        ("queries", LABELLED["queries"]): ClassAware(adapter=KernelAdjoint(), amount=2.0),
    }


def simple() -> dict[tuple[str, str], Adapter]:
    """Return what one would try first, to be seen at every number of pairs."""
    found: dict[tuple[str, str], Adapter] = {}
    for side in ("gallery", "queries"):
        found |= {(side, "Procrustes"): Procrustes(), (side, "Ridge"): Ridge(strength=0.1)}
    return found


def others(pairs: int, dimension: int) -> dict[tuple[str, str], Adapter]:
    """Return all other closed forms.

    Args:
        pairs: How many pairs there are.
        dimension: The smaller of both dimensions.

    Returns:
        Unfitted adapters by side and name.
    """
    found: dict[tuple[str, str], Adapter] = {}
    for side in ("gallery", "queries"):
        found |= {
            (side, "Procrustes, not centred"): Procrustes(center=False),
            (side, "ScaledProcrustes"): ScaledProcrustes(),
            (side, "Ridge, strength 1"): Ridge(strength=1.0),
            (side, "LowRankAffine"): LowRankAffine(rank=min(64, dimension // 2)),
            (side, "KernelRidge"): KernelRidge(width=0.3),
            (side, "LocalMixture"): local(pairs),
        }
    return {
        **found,
        ("gallery", "KernelRidge, width 0.4"): KernelRidge(width=0.4),
        ("queries", "Adjoint"): Adjoint(strength=0.1),
        ("queries", "DirectionAdjoint"): DirectionAdjoint(strength=0.1),
        ("queries", "KernelAdjoint, width 0.9"): KernelAdjoint(width=0.9),
    }


def trained() -> dict[tuple[str, str], Adapter]:
    """Return the maps that are trained by gradient descent, but for the pair of maps."""
    return {
        ("gallery", "ResidualMLP"): ResidualMLP(),
        ("queries", "ResidualMLP"): ResidualMLP(),
        ("gallery", "FCT"): FCT(**COURSE),
        ("gallery", "FastFill"): FastFill(**COURSE),
    }


def searches(case: Case, *, every: bool, train: bool, best: bool) -> Iterator[Search]:
    """Fit the maps and apply them.

    Args:
        case: The draw.
        every: Whether to try all closed forms, or the defaults and the simplest alone.
        train: Whether to try the trained maps, too.
        best: Whether ``fit_best`` is run, too.

    Yields:
        What each makes of queries and gallery.
    """
    pairs = len(case.pairs)
    dimension = min(rows.shape[1] for rows in case.paired)
    classes = case.data.labels[0][case.pairs]
    maps = defaults(pairs) | labelled() | simple()
    maps |= others(pairs, dimension) if every else {}
    maps |= trained() if train else {}
    for (side, name), adapter in maps.items():
        start = time.perf_counter()
        fitted = adapter.fit_labelled(*(case.paired if side == "gallery" else case.paired[::-1]), classes)
        seconds = time.perf_counter() - start
        yield Search(side, name, *through(fitted, side, case), seconds, {})
        blends = (BLENDED | BLENDED_TOO if every else BLENDED).get(name, {}) if side == "queries" else {}
        for told, amount in blends.items():
            yield Search("blend", told, *through(blended(fitted, amount), "blend", case), seconds, {})
    if train:
        start = time.perf_counter()
        both = LambdaOrthogonal().fit(*case.paired)
        seconds = time.perf_counter() - start
        yield Search("gallery", "LambdaOrthogonal", *through(both.to_new, "gallery", case), seconds, {})
        yield Search("queries", "LambdaOrthogonal", *through(both.to_old, "queries", case), seconds, {})
    for side in SIDES if best else ():
        start = time.perf_counter()
        choice = choose(case, side)
        seconds = time.perf_counter() - start
        told = {
            "chosen": repr(choice.adapter),
            "recommended": choice.recommended,
            "verdict": str(choice.verdict),
            "foretold": {"new_old": choice.new_old.to_dict(), "criterion": choice.criterion.to_dict()},
        }
        yield Search(side, BEST, *through(choice.adapter, side, case), seconds, told)


def choose(case: Case, side: str) -> AdapterChoice:
    """Choose a map as a user would: the pairs with their labels, and the stored gallery with its own."""
    labels = case.data.labels[0]
    source, target = case.paired if side == "gallery" else case.paired[::-1]
    return fit_best(
        source,
        target,
        side="gallery" if side == "gallery" else "queries",
        both_encoders=side == "blend",
        labels=labels[case.pairs],
        gallery=case.stored[0],
        gallery_labels=labels[case.gallery],
    )


def blended(fitted: Adapter, amount: float) -> Slerp:
    """Return the blend of a map that is fitted already."""
    blend = Slerp(adapter=fitted.unfitted(), amount=amount)
    blend.mapping, blend.pairs = fitted, fitted.pairs
    blend.source_dimension, blend.target_dimension = fitted.source_dimension, fitted.target_dimension
    return blend


def through(adapter: Adapter, side: str, case: Case) -> tuple[Floats, Floats]:
    """Return the queries and the gallery that meet through a fitted map."""
    (old, new), stored = case.queries, case.stored[0]
    if side == "gallery":
        return new, adapter.transform(stored)
    if side == "blend" and isinstance(adapter, Slerp):
        return adapter.blend(new, old), stored
    return adapter.transform(new), stored
