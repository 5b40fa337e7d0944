"""Text that came from the data (class names, slice values, ids), made safe to show."""

from __future__ import annotations

ELLIPSIS = "…"


def visible(text: str, most: int = 120) -> str:
    r"""Make invisible characters visible and cut what is too long.

    Control and format characters (line breaks, terminal escapes, marks that turn the direction of writing) are
    written as escapes, so that a class name can neither break a table nor colour a terminal nor disguise itself.

    Args:
        text: The text.
        most: How many characters to keep.

    Returns:
        The text in one line.

    Example:
        >>> print(visible("two\nlines, \x1b[31mred"))
        two\nlines, \x1b[31mred
    """
    safe = "".join(char if char.isprintable() else _escape(char) for char in text)
    return safe if len(safe) <= most else safe[: most - 1] + ELLIPSIS


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
