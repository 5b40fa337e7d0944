"""Which way each rate is better, for tools that maximise or minimise."""

from __future__ import annotations

from segue.errors import InputError

HIGHER_IS_BETTER: dict[str, bool | None] = {
    "accuracy_old": True,
    "accuracy_new": True,
    "accuracy_change": True,
    "negative_flip_rate": False,
    "positive_flip_rate": True,
    "relative_negative_flip_rate": False,
    "negative_flip_impact": False,
    "positive_flip_impact": True,
    "backward_trust_compatibility": True,
    # High for users who rely on known errors, low for users who want them mended: neither is better.
    "backward_error_compatibility_given_old_error": None,
    "backward_error_compatibility_given_new_error": True,
    "churn": False,
    "good_churn": True,
    "bad_churn": False,
    "fractional_flips": False,
}


def higher_is_better(rate: str) -> bool:
    """Return whether more of a rate is better.

    Args:
        rate: Its name in ``segue.flips.FlipReport``.

    Returns:
        Whether a tool should maximise it.

    Raises:
        InputError: If there is no such rate, or neither direction is better.

    Example:
        >>> higher_is_better("negative_flip_rate")
        False
    """
    better = HIGHER_IS_BETTER.get(rate)
    if better is None:
        known = ", ".join(name for name, way in HIGHER_IS_BETTER.items() if way is not None)
        raise InputError(f"rate is {rate!r}, which has no better direction; pass one of {known}")
    return better
