"""Protected samples (the golden set): none of them may flip from right to wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from segue.errors import InputError
from segue.flips.gate.decision import Check, Verdict
from segue.flips.samples import FlippedSamples

MOST_TOLD = 5


def protected_check(
    protected: Sequence[str],
    flips: FlippedSamples,
    ids: Iterable[Any] | None = None,
    outcomes: Mapping[str, str] | None = None,
) -> Check:
    """Judge the protected samples.

    Args:
        protected: Their ids.
        flips: The flipped samples of the report.
        ids: The ids of all samples that were compared.
        outcomes: In place of both, what became of the protected samples that were compared: ``"negative"`` for a
            flip from right to wrong.

    Returns:
        Fail where one of them flipped; undecided where some were not compared or the flipped samples are not all
        known; pass otherwise.

    Raises:
        InputError: If the flipped samples have no ids, or others than ``ids``.
    """
    wanted = set(protected)
    if outcomes is None:
        if len(flips) and "id" not in flips.columns:
            raise InputError("the flipped samples have no ids, so protected samples can't be looked up; pass ids")
        flipped, known = negative_flip_ids(flips), knows_all_negative_flips(flips)
        compared = None if ids is None else {name for value in _values(ids) for name in _spellings(value)}
        if compared is not None:
            _refuse_other_ids(flips, compared)
        present = None if compared is None else wanted & compared
    else:
        flipped, known = {name for name, outcome in outcomes.items() if outcome == "negative"}, True
        present = wanted & set(outcomes)
    broken = _in_order(protected, wanted & flipped)
    absent = [] if present is None else _in_order(protected, wanted - present - set(broken))

    def check(verdict: Verdict, reason: str, named: Sequence[str] = ()) -> Check:
        return Check(
            rule="golden",
            name="protected samples",
            verdict=verdict,
            reason=reason,
            samples=len(wanted) - len(absent),
            unit="count",
            ids=tuple(named),
        )

    if broken:
        return check(
            Verdict.FAIL, f"{len(broken):,} of {len(wanted):,} flipped from right to wrong: {_some(broken)}", broken
        )
    if not known:
        return check(
            Verdict.UNDECIDED,
            f"only some of the {flips.negative:,} negative flips are in the report, so it can't be said whether "
            f"protected samples are among them",
        )
    if present is None:
        return check(
            Verdict.UNDECIDED, "none of them is known to have flipped, but without ids= none is known to be in the data"
        )
    if absent:
        return check(
            Verdict.UNDECIDED, f"{len(absent):,} of {len(wanted):,} are not in the data: {_some(absent)}", absent
        )
    return check(Verdict.PASS, f"none of {len(wanted):,} flipped from right to wrong")


def negative_flip_ids(flips: FlippedSamples) -> set[str]:
    """Return the ids of the negative flips that a report holds, as strings.

    Args:
        flips: The flipped samples.

    Returns:
        The ids; of a whole number that is stored as floating-point number both spellings, ``7`` and ``7.0``.
    """
    if not len(flips):
        return set()
    negative = np.asarray(flips.columns["flip"]) == "negative"
    held = np.asarray(flips.columns["id"])[negative].tolist()
    return {name for value in held for name in _spellings(value)}


def knows_all_negative_flips(flips: FlippedSamples) -> bool:
    """Return whether every negative flip is held.

    Args:
        flips: The flipped samples.

    Returns:
        Whether none is missing.
    """
    if not flips.negative:
        return True
    return bool(len(flips)) and int(np.sum(np.asarray(flips.columns["flip"]) == "negative")) == flips.negative


def _values(ids: Iterable[Any]) -> Iterable[Any]:
    return ids.tolist() if hasattr(ids, "tolist") else ids


def _spellings(value: Any) -> tuple[str, ...]:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(value), str(int(value))
    return (str(value),)


def _refuse_other_ids(flips: FlippedSamples, compared: set[str]) -> None:
    # Were the report's samples named otherwise, a protected sample would never be found among the flipped ones.
    held = np.asarray(flips.columns["id"]).tolist() if len(flips) else []
    foreign = [str(value) for value in held if compared.isdisjoint(_spellings(value))]
    if foreign:
        raise InputError(
            f"ids= lacks ids of flipped samples of the report ({len(foreign):,} of {len(held):,}, such as "
            f"{foreign[0]!r}); pass the ids that compare() was given"
        )


def _in_order(all_ids: Sequence[str], chosen: set[str]) -> list[str]:
    return [name for name in all_ids if name in chosen]


def _some(ids: Sequence[str]) -> str:
    rest = len(ids) - MOST_TOLD
    return ", ".join(ids[:MOST_TOLD]) + (f" and {rest:,} more" if rest > 0 else "")
