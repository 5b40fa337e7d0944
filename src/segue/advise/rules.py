"""From numbers to advice: the rules, in the order in which they are asked.

1. Both models give every search the same answers, and no measured difference says otherwise: change nothing.
2. No labels: can't tell, since nothing says which model is better.
3. The upgrade (new model, everything re-embedded, minus old model; its interval is that of
   :mod:`segue.advise.sampling`) is shown to be a loss, its whole interval below 0: change nothing.
4. The upgrade is shown to be less than what is worth it, its whole interval below ``worthwhile``: change nothing.
5. The upgrade is not shown to be worth it, its interval holds ``worthwhile`` (or ends at 0): can't tell, and about how
   many labelled queries would.
6. A map is supported: the cheapest of those that, in the stored gallery, are shown to be better than the old model and
   are shown to keep the share ``keep`` of the upgrade, the whole interval of the share being at or above it.
7. Else: re-embed everything, or train compatibly where that costs too much.

Nothing wins here by luck among several. The ways are not ranked by their quality: each must be shown better than the
old model on its own, by intervals that are wider since there are three kinds of maps (Bonferroni), and the cheapest is
taken. A map's kind was chosen on other folds than it is measured on. A map that was measured on held-out items of the
sample only, not in the stored gallery, is never recommended: among few items it is flattered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segue.advise.option import MAPS, Option, Way
from segue.flips.estimate import Estimate
from segue.flips.gate.needed import samples_to_settle


@dataclass(frozen=True)
class Limits:
    """What the rules hold numbers against.

    Attributes:
        keep: The least share of the upgrade that makes a map worth it.
        worthwhile: The least upgrade that is worth it, in units of the measure.
        confidence: Coverage of the intervals.
    """

    keep: float
    worthwhile: float
    confidence: float


@dataclass(frozen=True)
class Decision:
    """What the rules say.

    Attributes:
        way: The way that the numbers support; ``None`` where they can't tell.
        rule: The number of the rule that decided.
        needed: About how many labelled queries would tell, where these can't.
    """

    way: Way | None
    rule: int
    needed: int | None = None


def decide(options: Mapping[Way, Option], *, same: bool, queries: int, limits: Limits) -> Decision:
    """Apply the rules.

    Args:
        options: All ways, measured or not.
        same: Whether both models are one space, by their cosines.
        queries: How many labelled queries stand behind the upgrade.
        limits: What numbers are held against.

    Returns:
        What they say.

    Example:
        >>> from segue.advise.cost import Cost
        >>> cost = Cost(items=0, old_per_query=0, new_per_query=1)
        >>> upgrade = Option(Way.RE_EMBED, cost, difference=Estimate(-0.1, -0.2, -0.05))
        >>> decide({Way.RE_EMBED: upgrade}, same=False, queries=100, limits=Limits(0.5, 0.01, 0.95))
        Decision(way=<Way.CHANGE_NOTHING: 'change nothing'>, rule=3, needed=None)
    """
    upgrade = options[Way.RE_EMBED].difference
    if nothing_to_gain(upgrade, same=same):
        return Decision(Way.CHANGE_NOTHING, 1)
    if upgrade is None:
        return Decision(None, 2)
    if upgrade.high < 0:
        return Decision(Way.CHANGE_NOTHING, 3)
    if upgrade.high < limits.worthwhile:
        return Decision(Way.CHANGE_NOTHING, 4)
    if upgrade.low <= 0 or upgrade.low < limits.worthwhile:
        return Decision(None, 5, _needed(upgrade, queries, limits))
    supported = [way for way in MAPS if way in options and is_supported(options[way], limits)]
    return Decision(supported[0], 6) if supported else Decision(Way.RE_EMBED, 7)


def nothing_to_gain(upgrade: Estimate | None, *, same: bool) -> bool:
    """Tell whether both models give every search the same answers.

    Args:
        upgrade: The difference between them; ``None`` where nothing has labels.
        same: Whether they are one space, by their cosines.

    Returns:
        Whether they are, and what was measured does not contradict it.
    """
    return same and (upgrade is None or upgrade.low <= 0 <= upgrade.high)


def is_supported(option: Option, limits: Limits) -> bool:
    """Tell whether the numbers support a map.

    Args:
        option: The map, measured or not.
        limits: What numbers are held against.

    Returns:
        Whether, in the stored gallery, it is shown to be better than the old model and to keep enough of the upgrade.
    """
    enough = option.share is not None and option.share.low >= limits.keep
    return option.real_gallery and option.shown_better and enough


def _needed(upgrade: Estimate, queries: int, limits: Limits) -> int | None:
    return samples_to_settle(upgrade, limits.worthwhile, queries, limits.confidence)
