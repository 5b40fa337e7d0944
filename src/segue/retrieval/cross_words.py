"""A cross test in words: the table, whether the new model is compatible, and what that is worth."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from segue.flips.checks import in_groups
from segue.flips.estimate import Estimate

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
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in ("queries", "gallery", test.measure))
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in table(test))
    words = "<br>".join(html.escape(sentence) for sentence in sentences(test))
    return f"<div><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table><p>{words}</p></div>"


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
        Whether the criterion holds, what the upgrade gains, what it costs, and what was counted.
    """
    lines = [_compatible(test), _gain(test)]
    if test.cost is not None:
        sure = " beyond doubt" if test.cost.low > 0 or test.cost.high < 0 else ", which may be luck"
        lines.append(f"Against the paragon {test.names[1]} on its own gallery differs by {signed(test.cost)}{sure}.")
    counted = f"{test.queries:,} quer{'y' if test.queries == 1 else 'ies'}{in_groups(test.groups)}"
    lines.append(f"Measured on {counted}; brackets hold {100 * test.confidence:g}% intervals over them.")
    if test.without_relevant:
        are = "query has" if test.without_relevant == 1 else "queries have"
        counts = {"leave out": "left out", "zero": "counted as 0"}[test.undefined]
        lines.append(f"{test.without_relevant:,} {are} nothing relevant in the gallery: {counts}.")
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


def _compatible(test: CrossTest) -> str:
    old, new = test.names
    change = signed(test.criterion)
    where = f"on the {'mapped ' if test.mapped == 'gallery' else ''}gallery of {old}"
    asked = f"{'mapped ' if test.mapped == 'queries' else ''}queries of {new}"
    if test.compatible == "can't tell":
        return f"Compatible: can't tell. These queries don't show whether {asked} do better {where}: {change}."
    better = "do better" if test.compatible == "yes" else "do not do better"
    subject = asked[:1].upper() + asked[1:]
    return f"Compatible: {test.compatible}. {subject} {better} {where} than those of {old} did: {change}."


def _gain(test: CrossTest) -> str:
    goal = "to the paragon" if test.paragon is not None else f"to {test.names[1]} with all of the gallery re-embedded"
    if test.upgrade.high < 0:
        return f"The upgrade {goal} makes search worse, {signed(test.upgrade)}: there is no gain to have a part of."
    if math.isnan(test.update_gain.value):
        return (
            f"The upgrade {goal} itself is not shown to be an improvement, {signed(test.upgrade)}: update gain is not "
            f"defined."
        )
    return f"That is an update gain of {test.update_gain} of the upgrade {goal}, {signed(test.upgrade)}."
