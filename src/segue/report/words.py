"""How numbers and names are written in sentences."""

from __future__ import annotations

import math

from segue.flips.estimate import Estimate

ROLES = frozenset({"old", "new", "champion", "challenger"})
"""Names of models that only say which is which."""
MINUS = "\u2212"
DASH = "\u2013"


def number(value: float, digits: int = 4) -> str:
    """Return a number with a few significant digits and a true minus sign.

    Example:
        >>> number(0.123456), number(float("nan")), number(float("inf"))
        ('0.1235', 'undefined', '∞')
    """
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}∞"
    return f"{value:.{digits}g}".replace("-", MINUS)


def fixed(value: float, decimals: int) -> str:
    """Return a number with a fixed number of decimals.

    Example:
        >>> fixed(1.0, 2), fixed(-0.5, 0), fixed(float("nan"), 1)
        ('1.00', '−0', 'undefined')
    """
    return f"{value:,.{decimals}f}".replace("-", MINUS) if math.isfinite(value) else number(value)


def from_to(old: float, new: float, between: str = " → ") -> str:
    """Return two numbers with the same decimals, three digits in the larger.

    Example:
        >>> from_to(0.6801, 0.6998), from_to(31.4, 33.0), from_to(1234.5, 1260.0)
        ('0.680 → 0.700', '31.4 → 33.0', '1,234 → 1,260')
    """
    largest = max((abs(value) for value in (old, new) if math.isfinite(value)), default=0.0)
    decimals = max(0, 2 - math.floor(math.log10(largest))) if largest > 0 else 2
    return f"{fixed(old, min(decimals, 6))}{between}{fixed(new, min(decimals, 6))}"


def percent(value: float, digits: int | None = None, *, signed: bool = False) -> str:
    """Return a share in per cent; by default with as many decimals as it takes to tell it from 0 and from 100%.

    Example:
        >>> percent(0.8712), percent(0.0004), percent(-0.021, signed=True), percent(1.0)
        ('87.1%', '0.04%', '−2.1%', '100%')
    """
    if not math.isfinite(value):
        return "undefined"
    if digits is None:
        distance = min(abs(value), abs(1 - abs(value)))
        digits = 0 if distance == 0 else 1 if distance >= 0.001 else 2 if distance >= 0.0001 else 3
    return f"{100 * value:{'+' if signed and value > 0 else ''}.{digits}f}%".replace("-", MINUS)


def interval(estimate: Estimate, *, signed: bool = False) -> str:
    """Return the interval of a share in per cent.

    Example:
        >>> interval(Estimate(0.02, 0.018, 0.023))
        '1.8% to 2.3%'
    """
    return f"{percent(estimate.low, signed=signed)} to {percent(estimate.high, signed=signed)}"


def number_interval(estimate: Estimate, digits: int = 3) -> str:
    """Return the interval of a number that is no share."""
    return f"{number(estimate.low, digits)} to {number(estimate.high, digits)}"


def count(amount: int, one: str, many: str | None = None) -> str:
    """Return a number of things.

    Example:
        >>> count(1, "answer"), count(1234, "answer"), count(2, "class", "classes")
        ('1 answer', '1,234 answers', '2 classes')
    """
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def one_in(rate: float) -> str:
    """Return a rate as "1 in 49".

    Example:
        >>> one_in(0.0204), one_in(0.0), one_in(0.7)
        ('1 in 49', 'none', '70%')
    """
    if not math.isfinite(rate):
        return "undefined"
    if rate <= 0:
        return "none"
    return f"1 in {round(1 / rate):,}" if rate <= 0.4 else f"{100 * rate:.0f}%"


def sentence(text: str, name: str = "") -> str:
    """Return a text as a sentence: with a capital, unless it begins with a name, and a full stop.

    Example:
        >>> sentence("nothing was judged"), sentence("forest-2 may ship", "forest-2")
        ('Nothing was judged.', 'forest-2 may ship.')
    """
    begins_with_name = bool(name) and name not in ROLES and text.startswith(name)
    written = text if begins_with_name else text[:1].upper() + text[1:]
    return written if written.endswith((".", "!", "?")) else written + "."


def short(text: str, most: int = 90) -> str:
    """Return a text, cut off where it is longer than a reader of a sentence bears.

    Example:
        >>> short("a rather long text", 10)
        'a rather …'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def points(value: float, *, unit: bool = True) -> str:
    """Return a difference of two shares in percentage points.

    Example:
        >>> points(0.0213), points(-0.004, unit=False)
        ('+2.1 points', '−0.4')
    """
    if not math.isfinite(value):
        return "undefined"
    digits = 1 if abs(value) >= 0.001 or value == 0 else 2
    written = f"{100 * value:{'+' if value > 0 else ''}.{digits}f}".replace("-", MINUS)
    return f"{written} points" if unit else written
