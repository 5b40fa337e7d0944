"""On how many queries something was measured: the sentence at the end of every study."""

from __future__ import annotations

from segue.flips.checks import counted, in_groups


def measured_on(count: int, groups: int | None, confidence: float, noun: str = "query") -> str:
    """Return what stands behind the intervals.

    Args:
        count: Number of queries.
        groups: How many groups they came in; ``None`` where they are independent.
        confidence: Nominal coverage of the intervals.
        noun: What they are, in the singular.

    Returns:
        The sentence.

    Example:
        >>> measured_on(200, None, 0.95)
        'Measured on 200 queries; brackets hold 95% intervals over them.'
        >>> measured_on(1, None, 0.9, "item")
        'Measured on 1 item; brackets hold 90% intervals over them.'
    """
    told = counted(count, noun) + in_groups(groups)
    return f"Measured on {told}; brackets hold {100 * confidence:g}% intervals over them."
