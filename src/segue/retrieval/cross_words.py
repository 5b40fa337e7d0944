"""A cross test in words: the table, whether the new model is compatible, and what that is worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from segue.flips.estimate import Estimate
from segue.retrieval.notebook import Table, in_html
from segue.retrieval.queries_counted import measured_on

if TYPE_CHECKING:
    from segue.retrieval.cross_result import CrossTest


def told(test: CrossTest) -> str:
    """Return a cross test as a small table and sentences.

    Args:
        test: The cross test.

    Returns:
        Several lines of text.
    """
    rows = [("queries", "gallery", test.measure), *table(test)]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{asked:<{first}}  {held:<{second}}  {number}" for asked, held, number in rows]
    return "\n".join([*lines, *sentences(test)])


def html_of(test: CrossTest) -> str:
    """Return a cross test as HTML.

    Args:
        test: The cross test.

    Returns:
        A table and paragraphs.
    """
    return in_html(sentences(test), Table(("queries", "gallery", test.measure), table(test)))


def table(test: CrossTest) -> list[tuple[str, str, str]]:
    """Return the rows of the table: query model, gallery model, number with interval.

    Args:
        test: The cross test.

    Returns:
        One row per cell.
    """
    old, new = test.names
    asked = f"{new}, mapped" if test.mapped == "queries" else new
    held = f"{old}, mapped" if test.mapped == "gallery" else old
    rows = [(old, old, test.old_old), (asked, held, test.new_old), (new, new, test.new_new)]
    if test.paragon is not None:
        rows.append(("paragon", "paragon", test.paragon))
    return [(query, gallery, str(cell)) for query, gallery, cell in rows]


def sentences(test: CrossTest) -> list[str]:
    """Return what follows from the table.

    Args:
        test: The cross test.

    Returns:
        Whether the criterion holds, what part of the upgrade that is, what is left, and what was counted.
    """
    new = test.names[1]
    lines = [_compatible(test), _gain(test), f"Re-embedding the gallery adds {_sure(test.backfill_gain)}."]
    if test.cost is not None:
        lines.append(f"Against the paragon, {new} on its own gallery differs by {_sure(test.cost)}.")
    lines.append(measured_on(test.queries, test.groups, test.confidence))
    if test.without_relevant:
        have = "query has" if test.without_relevant == 1 else "queries have"
        counts = {"leave out": "left out", "zero": "counted as 0"}[test.undefined]
        lines.append(f"{test.without_relevant:,} {have} nothing relevant in the gallery: {counts}.")
    return lines


def signed(change: Estimate) -> str:
    """Return a difference with its interval and the plus signs.

    Args:
        change: The difference.

    Returns:
        The words.

    Example:
        >>> signed(Estimate(0.0312, -0.01, 0.07))
        '+0.0312 [-0.01, +0.07]'
    """
    return f"{change.value:+.3g} [{change.low:+.3g}, {change.high:+.3g}]"


def _sure(change: Estimate) -> str:
    return signed(change) + ("" if change.low > 0 or change.high < 0 else ", which may be luck")


def _compatible(test: CrossTest) -> str:
    old, new = test.names
    asked = f"{'mapped ' if test.mapped == 'queries' else ''}{new} queries"
    held = f"the {'mapped ' if test.mapped == 'gallery' else ''}{old} gallery"
    if test.compatible == "can't tell":
        return f"Compatible: can't tell whether {asked} do better on {held}, {signed(test.criterion)}."
    better = "do better" if test.compatible == "yes" else "do not do better"
    return (
        f"Compatible: {test.compatible}, {asked} {better} on {held} than {old} queries did, {signed(test.criterion)}."
    )


def _gain(test: CrossTest) -> str:
    goal = "the paragon" if test.paragon is not None else f"{test.names[1]} with the gallery re-embedded"
    whole = signed(test.upgrade)
    if test.upgrade.high < 0:
        return f"Update gain: not defined, since the upgrade to {goal} makes search worse, {whole}."
    if math.isnan(test.update_gain.value):
        return f"Update gain: not defined, since the upgrade to {goal} is not shown to be an improvement, {whole}."
    return f"Update gain: {test.update_gain} of the upgrade to {goal}, {whole}."
