"""Advice in plain words: what to do, why, and a small table of all options."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from segue.advise.option import ALONE, MAPS, UNLABELLED, UNSEEN, Option, Way
from segue.advise.rules import is_supported
from segue.flips.checks import counted
from segue.flips.estimate import Estimate
from segue.flips.gate.needed import rounded_up
from segue.retrieval.notebook import Table, in_html

if TYPE_CHECKING:
    from segue.advise.advice import Advice

MAPPED = {
    Way.MAP_QUERIES: "mapping new queries into the old space",
    Way.BLEND_QUERIES: "blending mapped queries with the old model's",
    Way.MAP_GALLERY: "mapping the stored gallery into the new space",
}
TO_DO = {
    Way.CHANGE_NOTHING: "change nothing",
    Way.MAP_QUERIES: "map new queries into the old space and leave the gallery as it is",
    Way.BLEND_QUERIES: "blend mapped queries with the old model's and leave the gallery as it is",
    Way.MAP_GALLERY: "map the stored gallery into the new space, and query with the new model",
    Way.TRAIN: "train the new model compatibly",
    Way.RE_EMBED: "re-embed everything",
}

NOT_MEASURED = {
    UNLABELLED: "Whether the new model is better at all can't be told without labels: label some of the items.",
    ALONE: "Whether the new model is better at all can't be told: no two items share a label, so that there is nothing "
    "that a search should find; pass several items of each label.",
    UNSEEN: "Whether the new model is better at all can't be told: no item has the label of a query, so that there is "
    "nothing that a search should find; pass items of the queries' labels.",
}


def told(advice: Advice) -> str:
    """Return advice as text.

    Args:
        advice: The advice.

    Returns:
        The advice, its reasons, the table, the notes.
    """
    rows = [heads(advice), *table(advice)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"Note: {note}." for note in advice.notes]
    return "\n".join([headline(advice), *advice.reasons, "", *lines, *([""] if notes else []), *notes])


def html_of(advice: Advice) -> str:
    """Return advice as HTML.

    Args:
        advice: The advice.

    Returns:
        A table and words.
    """
    notes = [f"Note: {note}." for note in advice.notes]
    return in_html([headline(advice), *advice.reasons, *notes], Table(heads(advice), table(advice)))


def headline(advice: Advice) -> str:
    """Return what to do, in a sentence.

    Args:
        advice: The advice.
    """
    if advice.recommended is None:
        return "Advice: these data can't tell; until they can, change nothing."
    return f"Advice: {TO_DO[advice.recommended]}."


def heads(advice: Advice) -> tuple[str, ...]:
    """Return what stands above the columns.

    Args:
        advice: The advice.
    """
    measure = advice.measure
    if any(option.agreement for option in advice.options):
        measure = f"{measure}, agreement with {advice.names[1]}"
    return ("option", measure, "old model there", "difference", "of the upgrade", "searched", "once", "each query")


def table(advice: Advice) -> list[tuple[str, ...]]:
    """Return the rows of the table.

    Args:
        advice: The advice.

    Returns:
        Option, quality, that of the old model in the same search, the difference, the share of the upgrade, how many
        items were searched, cost once and each query.
    """
    return [_row(option) for option in advice.options]


def reasons(advice: Advice) -> tuple[str, ...]:
    """Return why, by the rule that decided.

    Args:
        advice: The advice.

    Returns:
        Sentences.
    """
    by_rule = {1: _same, 2: _unlabelled, 3: _worse, 4: _too_small, 5: _unsure, 6: _mapped, 7: _anew}
    return tuple(by_rule[advice.decision.rule](advice))


def _row(option: Option) -> tuple[str, ...]:
    cost = (option.cost.once, option.cost.each_query)
    if option.quality is None or option.old is None or option.difference is None:
        return (str(option.way), "not measured", "", "", "", "", *cost)
    still = option.way is Way.CHANGE_NOTHING
    share = "" if option.share is None or option.way not in MAPS else _share(option.share)
    place = "" if option.searched is None else f"{option.searched:,} {'stored' if option.real_gallery else 'held out'}"
    if option.way not in MAPS:
        place = place.replace("held out", "others")
    difference = "" if still else option.difference.percent(1, signed=True)
    before = "" if still else f"{option.old.value:.1%}"
    return (str(option.way), option.quality.percent(1), before, difference, share, place, *cost)


def _same(advice: Advice) -> list[str]:
    old, new = advice.names
    return [
        f"{_starting(old)} and {new} are one space, at most turned: the cosines between items are the same in both, so "
        f"that every search finds the same, and there is nothing to gain.",
        f"If {old} can't be run any more, a rotation (segue.adapters.Procrustes) carries queries or gallery over "
        f"without loss.",
    ]


def _unlabelled(advice: Advice) -> list[str]:
    lines = [NOT_MEASURED[advice.option(Way.RE_EMBED).why_not]]
    lines += [
        f"But {MAPPED[option.way]} is shown to be better than changing nothing, "
        f"{option.difference.percent(1, signed=True)}; labels of the items would tell what share of the upgrade it is."
        for option in advice.options
        if option.shown_better and option.difference
    ]
    measured = [option for option in advice.options if option.agreement and option.quality is not None]
    if measured:
        best = max(measured, key=lambda option: option.quality.value if option.quality else 0.0)
        if best.quality and best.old:
            lines.append(
                f"What can be told: with {MAPPED[best.way]}, search finds the item that {advice.names[1]} finds first "
                f"in {best.quality.percent(1)} of the cases ({advice.names[0]}: {best.old.percent(1)})."
            )
    return lines


def _numbers(advice: Advice) -> str:
    upgrade = advice.option(Way.RE_EMBED)
    if upgrade.quality is None or upgrade.old is None or upgrade.difference is None:
        return upgrade.why_not
    return (
        f"{advice.measure} {upgrade.quality.percent(1)} with everything re-embedded, against "
        f"{upgrade.old.percent(1)}: {upgrade.difference.percent(1, signed=True)}"
    )


def _worse(advice: Advice) -> list[str]:
    return [f"{_starting(advice.names[1])} is worse than {advice.names[0]}: {_numbers(advice)}. Do not upgrade."]


def _too_small(advice: Advice) -> list[str]:
    new, worth = _starting(advice.names[1]), _points(advice.limits.worthwhile)
    if advice.option(Way.RE_EMBED).shown_better:
        return [f"{new} is better, but by less than the {worth} that would be worth it: {_numbers(advice)}."]
    return [f"{new} is not shown to be better, and is not better by {worth}: {_numbers(advice)}. Do not upgrade."]


def _unsure(advice: Advice) -> list[str]:
    new, worth = _starting(advice.names[1]), advice.limits.worthwhile
    shown = "is not shown to be better, nor that it is not"
    if advice.option(Way.RE_EMBED).shown_better:
        shown = f"is better, but is not shown to be so by the {_points(worth)} that would be worth it"
    asked = f"{advice.queries:,} labelled queries of {counted(advice.labels, 'label')}"
    lines = [f"{new} {shown}: {_numbers(advice)} on {asked}."]
    needed = advice.decision.needed
    if needed is None:
        lines.append("The difference is so small that no number of queries can be named which would tell.")
    else:
        labels = rounded_up(advice.labels * needed / advice.queries)
        lines.append(
            f"If the difference is as it seems, about {needed:,} labelled queries of about "
            f"{labels:,} labels would tell."
        )
    return lines


def _mapped(advice: Advice) -> list[str]:
    way = advice.decision.way or Way.CHANGE_NOTHING
    option = advice.option(way)
    lines = [f"{_starting(advice.names[1])} is better: {_numbers(advice)}."]
    if option.quality and option.old and option.difference:
        lines.append(
            f"{_capital(MAPPED[way])} keeps {_share(option.share)} of that: {option.quality.percent(1)} in the stored "
            f"gallery of {option.searched or 0:,}, against {option.old.percent(1)}: "
            f"{option.difference.percent(1, signed=True)}. No item is embedded again; each query "
            f"takes the {option.cost.each_query}."
        )
    if option.left is not None:
        lines.append(
            f"Re-embedding everything would add {option.left.percent(1, signed=True)} and takes "
            f"{advice.option(Way.RE_EMBED).cost.once}."
        )
    others = [
        f"{MAPPED[other]} keeps {_share(advice.option(other).share)} ({advice.option(other).cost.each_query})"
        for other in MAPS
        if other is not way and is_supported(advice.option(other), advice.limits)
    ]
    if others:
        lines.append(f"Supported as well, at a higher cost: {'; '.join(others)}.")
    return lines


def _anew(advice: Advice) -> list[str]:
    cost = advice.option(Way.RE_EMBED).cost
    lines = [f"{_starting(advice.names[1])} is better: {_numbers(advice)}. It takes {cost.once}."]
    for way in MAPS:
        lines += _why_no_map(advice, way)
    lines.append(
        "If re-embedding costs too much: train the new model compatibly (segue.compatible). That can't be measured "
        "from embeddings, and the new model has to be yours to train."
    )
    return lines


def _why_no_map(advice: Advice, way: Way) -> list[str]:
    option, name = advice.option(way), _capital(MAPPED[way])
    if option.difference is None:
        return [f"{name} was not measured: {option.why_not}."]
    kept = f"{option.difference.percent(1, signed=True)} against {advice.names[0]}"
    if option.difference.high < 0:
        return [f"{name} is worse than changing nothing: {kept}."]
    if not option.shown_better:
        return [f"{name} is not shown to be better than changing nothing: {kept}."]
    share = _share(option.share)
    if not option.real_gallery:
        return [
            f"{name} keeps {share} of the upgrade among {option.searched or 0:,} held-out items, but in a real gallery "
            f"a map loses more: pass the stored gallery with labels to see whether it is an option ({kept})."
        ]
    keep = f"{advice.limits.keep:.0%}"
    if option.share is not None and option.share.high < advice.limits.keep:
        return [f"{name} keeps {share} of the upgrade only, less than {keep}: {kept}."]
    return [f"{name} keeps {share} of the upgrade, and is not shown to keep {keep}: {kept}."]


def _share(share: Estimate | None) -> str:
    if share is None:
        return "an unknown share"
    if math.isinf(share.low):
        return f"{_kept(share.value)} (or any other share)"
    return f"{_kept(share.value)} [{_kept(share.low)}, {_kept(share.high)}]"


def _kept(share: float) -> str:
    return f"{share:.0%}" if share >= 0 else "none"


def _points(amount: float) -> str:
    told = f"{100 * amount:g}"
    return f"{told} point" if told == "1" else f"{told} points"


def _starting(name: str) -> str:
    # a sentence begins with it; what a user calls a model stays as it is
    return _capital(name) if name.startswith("the ") else name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
