"""What the rows of the maps show, against the bars that were set before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.adapters.texts import L3
from benchmarks.adapters.tried import BEST, DEFAULTS, LABELLED, SIDES
from benchmarks.record import Claim

Row = dict[str, Any]
Interval = tuple[float, float | None, float | None]

MANY, FEW = 2_000, 500
"""The numbers of pairs that the bars speak of."""
MEASURE = "cmc@1"
WORDS = {
    "gallery": "the old gallery mapped into the new space",
    "queries": "new queries mapped into the old space, without the old encoder",
    "blend": "new queries mapped and blended with the old ones",
}
NAMED = {
    "default": "{}",
    "labelled": "{}, which learns from the labels of the pairs, too",
    "fit_best": "what fit_best chooses on the pairs",
}
BARS = {"gallery": ">= 0.7", "blend": ">= 0.5"}


def claims(rows: Sequence[Row]) -> list[Claim]:
    """Return what the rows show.

    Args:
        rows: The rows of the record.

    Returns:
        The claims, those that do not hold as well.
    """
    found: list[Claim] = []
    if not rows:
        return found
    old = L3 if any(row["old"] == L3 for row in rows) else rows[0]["old"]
    counts = {row["pairs"] for row in rows if row["old"] == old}
    many = MANY if MANY in counts else max(counts)
    few = FEW if FEW in counts else min(counts)
    for side in SIDES:
        for how, adapter in (("default", DEFAULTS[side]), ("labelled", LABELLED[side]), ("fit_best", BEST)):
            own = chosen(rows, old, many, side, adapter)
            if not own:
                continue
            map_of = NAMED[how].format(adapter)
            over = f"{old} to all-MiniLM-L6, {many:,} pairs, cmc@1"
            gain = f"Update gain of {WORDS[side]} by {map_of}; {over}, mean over {len(own)} seeds"
            if side in BARS:
                found.append(Claim(f"adapters.{side}.gain_{how}", gain, *over_seeds(gains(own)), BARS[side]))
            else:
                lowest = min(own, key=lambda row: row[MEASURE]["criterion"][1])[MEASURE]["criterion"]
                least = (
                    f"Lowest lower end, over {len(own)} seeds, of the paired interval of the criterion, {WORDS[side]}"
                )
                found += [
                    Claim(
                        f"adapters.{side}.criterion_low_{how}",
                        f"{least}, by {map_of}; {over}",
                        lowest[1],
                        *lowest[1:],
                        "> 0",
                    ),
                    Claim(f"adapters.{side}.gain_{how}", gain, *over_seeds(gains(own)), "> 0"),
                ]
        own = chosen(rows, old, many, side, DEFAULTS[side])
        if side in BARS and own and "map" in own[0]:
            told = f"The same of {DEFAULTS[side]} by mean average precision in place of cmc@1"
            found.append(Claim(f"adapters.{side}.gain_default_map", told, *over_seeds(gains(own, "map")), BARS[side]))
    return [*found, *over_peers(rows, old, many), *following(rows, few), *verdicts(rows)]


def over_peers(rows: Sequence[Row], old: str, pairs: int) -> list[Claim]:
    """Return how the defaults compare with the best of all peers' variants, named on the very queries."""
    found = []
    for side in ("gallery", "queries"):
        names = {row["adapter"] for row in rows if row["side"] == side and ": " in row["adapter"]}
        several = {name: chosen(rows, old, pairs, side, name) for name in sorted(names)}
        several = {name: own for name, own in several.items() if own}
        ours = chosen(rows, old, pairs, side, DEFAULTS[side])
        if not several:
            continue
        best = max(several, key=lambda name: np.mean(gains(several[name])))
        told = f"Update gain of {DEFAULTS[side]}, {WORDS[side]}, minus that of the best peer ({best}"
        value = over_seeds(np.array(gains(ours)) - gains(several[best]))
        mean = f"{np.mean(gains(several[best])):.2f}, chosen on the test part itself); {old}, {pairs:,} pairs, cmc@1"
        found.append(Claim(f"adapters.{side}.over_best_peer", f"{told}, {mean}", *value, "> 0"))
    return found


def following(rows: Sequence[Row], pairs: int) -> list[Claim]:
    """Return what happens to who follows fit_best: uses its choice if it is recommended, else stays with the old."""
    own = [row for row in rows if row["adapter"] == BEST and row["pairs"] == pairs]
    if not own:
        return []
    outcomes = [followed(row) for row in own]
    worst = min(outcomes)
    used = sum(row["recommended"] for row in own)
    cases = f"{len(own)} cases (seeds, sides, old encoders), of which {used} were recommended; {pairs:,} pairs, cmc@1"
    told = "Worst difference to the old model for who follows fit_best (0 where it says to stay)"
    shown = "Cases in which following fit_best is shown to be worse than the old model (interval below 0)"
    bad = sum(high < 0 for _, _, high in outcomes)
    return [
        Claim("adapters.few_pairs.worst", f"{told}, {cases}", *worst, ">= 0"),
        Claim("adapters.few_pairs.shown_worse", f"{shown}, {cases}", float(bad), None, None, "== 0"),
    ]


def verdicts(rows: Sequence[Row]) -> list[Claim]:
    """Return how often fit_best's verdict is contradicted by the later queries, over all numbers of pairs."""
    own = [row for row in rows if row["adapter"] == BEST]
    cases = f"of {len(own)} cases (seeds, sides, old encoders, numbers of pairs), cmc@1"
    yes = sum(row["verdict"] == "yes" and row[MEASURE]["criterion"][2] < 0 for row in own)
    no = sum(row["verdict"] == "no" and row[MEASURE]["criterion"][1] > 0 for row in own)
    told = "Cases in which fit_best says that its map is {} than the old model and later queries show the contrary, {}"
    return [
        Claim("adapters.fit_best.wrong_yes", told.format("better", cases), float(yes), None, None, "== 0"),
        Claim("adapters.fit_best.wrong_no", told.format("worse", cases), float(no), None, None, "== 0"),
    ]


def followed(row: Row) -> Interval:
    """Return the difference to the old model for who follows a choice, with its paired interval."""
    value, low, high = row[MEASURE]["criterion"] if row["recommended"] else (0.0, 0.0, 0.0)
    return value, low, high


def chosen(rows: Sequence[Row], old: str, pairs: int, side: str, adapter: str) -> list[Row]:
    """Return the rows of a map, one per seed."""
    wanted = {"old": old, "pairs": pairs, "side": side, "adapter": adapter}
    return sorted(
        (row for row in rows if all(row[key] == value for key, value in wanted.items())), key=lambda row: row["seed"]
    )


def gains(rows: Sequence[Row], measure: str = MEASURE) -> list[float]:
    """Return the update gain of each row; NaN where there is none to speak of."""
    return [float("nan") if row[measure]["gain"][0] is None else row[measure]["gain"][0] for row in rows]


def over_seeds(values: Sequence[float] | np.ndarray[Any, Any]) -> Interval:
    """Return the mean with its 95% interval by Student's t, without one for a single seed."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None, None
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return mean, mean - half, mean + half
