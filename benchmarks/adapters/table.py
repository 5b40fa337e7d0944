"""The table of all maps and of all orders of a backfill, as a page of the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.adapters.claimed import FEW, MANY, MEASURE, chosen, followed, gains
from benchmarks.adapters.curve import CURVES, drawing
from benchmarks.adapters.texts import GLOVE, L3
from benchmarks.adapters.tried import BEST, SIDES

Row = dict[str, Any]

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "adapters-results.md"
IMAGE = DOCS / "images" / "adapters-pairs.svg"

HEAD = """# Which map is worth using when

Every map of [adapters](adapters.md) between two frozen sentence encoders, in both directions, beside the adapters of
three other packages on the same pairs: 20 Newsgroups, mean over {seeds} seeds (in brackets the standard deviation
between seeds). A stored gallery of 4,000 texts and the pairs are texts of the train part; the 7,528 later texts of the
test part search. Nothing was chosen on them. See `benchmarks/adapters/maps.py` and `benchmarks/adapters/backfill.py`,
whose records this page is written from.

*Update gain* is the part of the way from the old model to the new one, with everything re-embedded, that a map goes: 0
is the old model, 1 the new one, below 0 it would have been better to change nothing. *Points* is the difference to the
old model in points of cmc@1 (is the nearest text of the query's newsgroup?). *Better* and *worse* count the seeds in
which the paired 95% interval of that difference lies above or below 0.
"""
TAKEN = """What to take from it, for paraphrase-MiniLM-L3 to all-MiniLM-L6 where nothing else is said:

- **Both encoders can be run for a query**: blend. Half way between the old query and the mapped one goes two thirds of
  the way to the new model from 2,000 pairs, half of it from 500, and is no worse than the old model from 200 on. It is
  the only way that pays with few pairs, and the gallery stays as it is.
- **The stored vectors may be rewritten**: map the gallery. `Ensemble` of `KernelRidge` and `LocalMixture` goes 0.58 of
  the way from 2,000 pairs, better than the old model in every seed, and twice as far as the best linear map; 0.71 from
  5,000. The 0.7 that was set as a goal for 2,000 pairs is not reached.
- **Only queries may be mapped, by the new encoder alone**: `KernelAdjoint`, 0.32 from 2,000 pairs and 0.60 from 5,000.
  From 2,000 it is shown better than the old model in four seeds of five. Maps that predict the old vector (ridge,
  networks, kernels) are worse than changing nothing.
- **Few pairs**: from 500, mapped galleries and mapped queries are no better than the old model, whatever the map, and
  far worse from 100 or 200. `fit_best` recommends none of them there. Where the old model is far worse and has few
  dimensions (GloVe), 500 pairs are enough for each way.
- **fit_best is careful to a fault here.** Nothing that it recommends was shown worse than the old model. But its pairs
  are texts of the same weeks as the gallery: the nearest text is of the right newsgroup for 80% of them by the old
  model, and for 68% of the later queries. It often can't tell, and now and then says no, where later queries profit.
  Give it pairs that are like your queries.
- **Average precision tells another story**: mapped vectors lie closer to the middle of their class, so that whole
  rankings improve; by average precision most mapped galleries go beyond the new model itself (gain above 1), while the
  nearest text, which is what cmc@1 asks for, is blurred.
- **Networks** (`FCT`, `FastFill`, `ResidualMLP`, `LambdaOrthogonal`) do not reach the kernel maps from so few pairs;
  `ResidualMLP` sees that itself, and stays at its ridge map.
- **Other packages** offer rotations and ridge regressions; on the same pairs they do as such maps do. isotrieve's
  report chooses among its kinds by how often an item's own vector is found again, which is not what searching asks for;
  the inverse of its diagonal Procrustes map divides by scales near zero, so that queries find almost nothing.
"""
BACKFILL = """A mapped gallery is re-embedded in ten steps, new queries search it meanwhile: the area under the curve is
the mean quality on the way. Differences are to random order on the same mapped gallery, paired over queries; *better*
and *worse* count the seeds in which the interval of the difference lies above or below 0. 2,000 pairs, a gallery of
4,000. Not all seeds have been run: read it as a hint. The distance to the mean of the true classes is ahead in each
run; the orders that need no labels gain little or nothing on cmc@1, FastFill's (from few pairs, without its side
information) nothing.
"""
WORDS = {
    "gallery": "The old gallery is mapped into the new space; new queries search it",
    "queries": "New queries are mapped into the old space; the gallery stays, the old encoder is not run",
    "blend": "New queries are mapped and blended with the old ones; both encoders are run",
}
ENDS = ("old_old", "new_new")
DATA = {
    "newsgroups": f"20 Newsgroups, {L3} to all-MiniLM-L6",
    "garments": "Fashion-MNIST, a small network to a wider one",
}


def write_page(maps: Sequence[Row], backfill: Sequence[Row]) -> None:
    """Write the page and its picture.

    Args:
        maps: The rows of the maps' record.
        backfill: The rows of the backfill's record.
    """
    PAGE.write_text(page(maps, backfill), encoding="utf-8")
    IMAGE.parent.mkdir(exist_ok=True)
    IMAGE.write_text(drawing(maps), encoding="utf-8")


def page(maps: Sequence[Row], backfill: Sequence[Row]) -> str:
    """Return the page as Markdown."""
    parts = [HEAD.format(seeds=len({row["seed"] for row in maps})), TAKEN]
    parts += [of_pairs(maps, old, pairs) for old, pairs in ((L3, MANY), (L3, FEW))]
    parts += [by_pairs(maps), of_choice(maps)]
    parts += [of_pairs(maps, GLOVE, pairs) for pairs in (MANY, FEW)]
    parts += [refusals(maps), of_backfill(backfill)]
    return "\n".join(parts)


def of_pairs(rows: Sequence[Row], old: str, pairs: int) -> str:
    """Return the tables of one old encoder and one number of pairs, the best map first."""
    own = [row for row in rows if row["old"] == old and row["pairs"] == pairs and row["side"] != "refused"]
    whole = any("map" in row for row in own)
    ends = [spread([row[MEASURE][end][0] for row in own if row["adapter"] == own[0]["adapter"]]) for end in ENDS]
    lines = [f"## {old} to all-MiniLM-L6, {pairs:,} pairs", ""]
    lines += [f"Old model {ends[0]}, new model with everything re-embedded {ends[1]} (cmc@1).", ""]
    for side in SIDES:
        lines += [f"### {WORDS[side]}", ""]
        lines += [f"| map | cmc@1 | update gain | points | better, worse |{' gain, map |' if whole else ''} fit |"]
        lines += [f"|---|---:|---:|---:|---:|{'---:|' if whole else ''}---:|"]
        named = dict.fromkeys(row["adapter"] for row in own if row["side"] == side)
        several = [chosen(rows, old, pairs, side, name) for name in named]
        several.sort(key=lambda one: -np.mean(gains(one)))
        lines += [*(line_of(one, whole) for one in several), ""]
    return "\n".join(lines)


def line_of(rows: Sequence[Row], whole: bool) -> str:
    """Return the line of one map."""
    criteria = [row[MEASURE]["criterion"] for row in rows]
    better, worse = sum(low > 0 for _, low, _ in criteria), sum(high < 0 for _, _, high in criteria)
    cells = [
        rows[0]["adapter"],
        spread([row[MEASURE]["new_old"][0] for row in rows]),
        number(gains(rows)),
        f"{100 * np.mean([value for value, _, _ in criteria]):+.2f}",
        f"{better}, {worse}",
    ]
    if whole:
        cells.append(number(gains(rows, "map")) if "map" in rows[0] else "")
    return f"| {' | '.join([*cells, seconds(rows)])} |"


def by_pairs(rows: Sequence[Row]) -> str:
    """Return the update gain by number of pairs."""
    counts = sorted({row["pairs"] for row in rows if row["old"] == L3})
    lines = [
        "## By number of pairs",
        "",
        f"Update gain, {L3} to all-MiniLM-L6; in the picture, what is below -1 lies at the lower edge, hollow.",
        "",
        "![Update gain by number of pairs](images/adapters-pairs.svg)",
        "",
        f"| side | map | {' | '.join(f'{count:,}' for count in counts)} |",
        f"|---|---|{'---:|' * len(counts)}",
    ]
    for side, name, _ in CURVES:
        cells = [chosen(rows, L3, count, side, name) for count in counts]
        lines.append(f"| {side} | {name} | {' | '.join(number(gains(own)) if own else '' for own in cells)} |")
    return "\n".join([*lines, ""])


def of_choice(rows: Sequence[Row]) -> str:
    """Return what fit_best says, and what becomes of those who follow it."""
    lines = [
        "## Following fit_best",
        "",
        "`fit_best` is given the pairs with their labels and the stored gallery with its own. Who follows it uses its "
        "choice where it is recommended and stays with the old model elsewhere. Points are differences to the old "
        "model; *shown worse* counts the seeds in which the interval of that difference lies below 0.",
        "",
        "| old encoder | pairs | side | recommended | followed, points | worst seed | shown worse | always, points "
        "| chosen most |",
        "|---|---:|---|---:|---:|---:|---:|---:|---|",
    ]
    keys = dict.fromkeys((row["old"], row["pairs"]) for row in rows)
    for old, pairs in sorted(keys, key=lambda key: (key[0] != L3, key[1])):
        for side in SIDES:
            own = chosen(rows, old, pairs, side, BEST)
            if not own:
                continue
            outcomes = [followed(row) for row in own]
            always = 100 * np.mean([row[MEASURE]["criterion"][0] for row in own])
            kind, times = Counter(short(row["chosen"]) for row in own).most_common(1)[0]
            points = [100 * value for value, _, _ in outcomes]
            worse = sum(high < 0 for _, _, high in outcomes)
            recommended = sum(row["recommended"] for row in own)
            lines.append(
                f"| {old} | {pairs:,} | {side} | {recommended} of {len(own)} | {np.mean(points):+.2f} | "
                f"{min(points):+.2f} | {worse} | {always:+.2f} | {kind} ({times}) |"
            )
    return "\n".join([*lines, ""])


def short(adapter: str) -> str:
    """Return a map's call without settings that are not choices.

    Example:
        >>> short("KernelRidge(width=0.3, strength=0.03, landmarks=4000, seed=0, unit=True)")
        'KernelRidge(width=0.3, strength=0.03)'
    """
    for name in ("landmarks=4000", "seed=0", "unit=True", "center=True"):
        adapter = adapter.replace(f", {name}", "").replace(f"{name}, ", "").replace(name, "")
    return adapter


def refusals(rows: Sequence[Row]) -> str:
    """Return why some maps of other packages did not run."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, why in row.get("reasons", {}).items():
            found.setdefault(f"{row['old']}, {name}", set()).add(f"{row['pairs']:,}")
            found[f"{row['old']}, {name}"].add(why.split(". ")[0].split("Got")[0].strip().rstrip(".;"))
    lines = ["## What did not run", ""]
    for name, told in sorted(found.items()):
        counts = sorted((one for one in told if one[0].isdigit()), key=lambda one: int(one.replace(",", "")))
        why = next(iter(sorted(one for one in told if not one[0].isdigit())))
        lines.append(f"- {name}, {' and '.join(counts)} pairs: {why}.")
    return "\n".join([*lines, ""])


def of_backfill(rows: Sequence[Row]) -> str:
    """Return the areas under the backfill curves."""
    lines = ["## In which order to re-embed", "", BACKFILL]
    for data in dict.fromkeys(row["data"] for row in rows):
        own = [row for row in rows if row["data"] == data]
        lines += [
            f"### {DATA[data]}",
            "",
            f"{len({row['seed'] for row in own})} of 5 seeds.",
            "",
            "| order | area, cmc@1 | over random, points | better, worse | area, map | over random, points "
            "| better, worse |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        for name in dict.fromkeys(row["order"] for row in own):
            cells = [name]
            for measure in ("cmc@1", "map"):
                several = [row[measure] for row in own if row["order"] == name]
                cells.append(spread([one["area"] for one in several]))
                gained = [one["gained"] for one in several if "gained" in one]
                better, worse = sum(one[1] > 0 for one in gained), sum(one[2] < 0 for one in gained)
                points = [100 * one[0] for one in gained]
                cells += [number(points, "+.2f"), f"{better}, {worse}"] if gained else ["", ""]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation in percent."""
    mean = f"{np.mean(values):.2%}"
    return mean if len(values) < 2 else f"{mean} ({100 * np.std(values, ddof=1):.2f})"


def number(values: Sequence[float], form: str = ".2f") -> str:
    """Return mean and standard deviation of plain numbers."""
    mean = format(np.mean(values), form)
    return mean if len(values) < 2 else f"{mean} ({np.std(values, ddof=1):.2f})"


def seconds(rows: Sequence[Row]) -> str:
    """Return what a fit took, roughly: the machine did other work."""
    return f"{np.median([row['seconds'] for row in rows]):.2g} s"
