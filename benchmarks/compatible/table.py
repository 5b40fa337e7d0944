"""The table of all methods of compatible training, as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compatible.reading import best_method, gain_of

Row = dict[str, Any]
CELLS = ("old_old", "new_old", "new_new", "paragon")

HEAD = """# Which compatible training is worth using when

Every method and every baseline of compatible training on the same updates of a Fashion-MNIST embedding model, on test
pictures, mean over {seeds} seeds (in brackets the standard deviation between seeds). Every setting was chosen on
validation samples; see `benchmarks/compatible/methods.py`, which wrote this page from its record, for what exactly is
done. *new/old* is the quality of new queries on the old gallery, *new/new* of new queries once everything has been
re-embedded, *cost* is new/new minus the paragon, *held* is in how many seeds the criterion new/old > old/old holds with
its whole interval over the queries, and *trainings* is what the method's whole sweep costs in plain trainings. The
update gain is what new/old gains over old/old by what the paragon gains, with its 95% interval over the seeds.
"""
CHOSEN = """
Chosen on validation samples of all scenarios together, as the best on the old gallery among those that lose at most a
point: **{best}**. On the test pictures, by cmc@1:

| scenario | old/old | new/old | new/new | paragon | update gain | held | cost, points |
|---|---:|---:|---:|---:|---:|---:|---:|
"""


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write the page.

    Args:
        rows: The rows of the record.
        path: The page.
    """
    path.write_text(page(rows), encoding="utf-8")


def page(rows: Sequence[Row]) -> str:
    """Return the page as Markdown."""
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    parts = [HEAD.format(seeds=len({row["seed"] for row in rows})), of_best(rows)]
    for name in scenarios:
        own = [row for row in rows if row["scenario"] == name]
        parts += [f"## {name}", ""]
        parts += [of_measure(own, measure) for measure in ("cmc@1", "map")]
        parts.append(of_decisions(own))
    return "\n".join(parts)


def of_best(rows: Sequence[Row]) -> str:
    """Return the table of the method that was chosen on validation samples."""
    best = best_method(rows)
    lines = [CHOSEN.strip().format(best=best)]
    for name in dict.fromkeys(row["scenario"] for row in rows):
        own = [row for row in rows if row["scenario"] == name and row["method"] == best]
        cells = " | ".join(
            f"{_mean(own, f'cmc@1 {cell}'):.2%}" for cell in ("old_old", "new_old", "new_new", "paragon")
        )
        cost = 100 * _mean(own, "cmc@1 cost")
        lines.append(f"| {name} | {cells} | {_gain(own, 'cmc@1')} | {_held(own, 'cmc@1')} | {cost:+.2f} |")
    return "\n".join([*lines, ""])


def of_measure(rows: Sequence[Row], measure: str) -> str:
    """Return the table of one scenario and measure, the best on the old gallery first."""
    first = [row for row in rows if row["method"] == "independent"]
    old, paragon = (_mean(first, f"{measure} {cell}") for cell in ("old_old", "paragon"))
    lines = [
        f"{measure}: old/old {old:.2%}, paragon {paragon:.2%}.",
        "",
        "| method | new/old | update gain | held | new/new | cost, points | trainings |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    told = []
    for method, own in _by_method(rows).items():
        cost = 100 * _mean(own, f"{measure} cost")
        line = (
            f"| {method} | {_spread(own, f'{measure} new_old')} | {_gain(own, measure)} "
            f"| {_held(own, measure)} | {_spread(own, f'{measure} new_new')} | {cost:+.2f} "
            f"| {_mean(own, 'trainings'):g} |"
        )
        told.append((-_mean(own, f"{measure} new_old"), line))
    return "\n".join([*lines, *(line for _, line in sorted(told)), ""])


def of_decisions(rows: Sequence[Row]) -> str:
    """Return what becomes of old decisions in one scenario: threshold, head and clusters."""
    first = [row for row in rows if row["method"] == "independent"]
    lines = [
        f"Old decisions under old vectors: false accepts {_mean(first, 'false_accepts_old'):.2%}, false rejects "
        f"{_mean(first, 'false_rejects_old'):.2%}, old head's accuracy {_mean(first, 'old_head_on_old'):.2%}, B-cubed "
        f"F1 of old clusters {_mean(first, 'clusters_old_bcubed_f1'):.3f}. Under new vectors:",
        "",
        "| method | false accepts | false rejects | old head's accuracy | B-cubed F1 |",
        "|---|---:|---:|---:|---:|",
    ]
    for method, own in _by_method(rows).items():
        lines.append(
            f"| {method} | {_mean(own, 'false_accepts_new'):.2%} | {_mean(own, 'false_rejects_new'):.2%} "
            f"| {_mean(own, 'old_head_on_new'):.2%} | {_mean(own, 'clusters_new_bcubed_f1'):.3f} |"
        )
    return "\n".join([*lines, ""])


def _by_method(rows: Sequence[Row]) -> dict[str, list[Row]]:
    names = dict.fromkeys(row["method"] for row in rows)
    return {name: [row for row in rows if row["method"] == name] for name in names}


def _mean(rows: Sequence[Row], key: str) -> float:
    return float(np.mean([np.nan if row[key] is None else row[key] for row in rows]))


def _gain(rows: Sequence[Row], measure: str) -> str:
    gain, low, high = gain_of(rows, measure)
    return f"{gain:.2f}" if low is None else f"{gain:.2f} [{low:.2f}, {high:.2f}]"


def _held(rows: Sequence[Row], measure: str) -> str:
    return f"{sum(row[f'{measure} criterion low'] > 0 for row in rows)} of {len(rows)}"


def _spread(rows: Sequence[Row], key: str) -> str:
    values = [row[key] for row in rows]
    mean = f"{np.mean(values):.2%}"
    return mean if len(values) < 2 else f"{mean} ({100 * np.std(values, ddof=1):.2f})"
