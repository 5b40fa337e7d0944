"""What is mended in the typed arguments before they are parsed."""

from __future__ import annotations

from collections.abc import Sequence

STANDARD_OUTPUT = "-"


def with_dashes(arguments: Sequence[str]) -> list[str]:
    """Let ``--json`` without a path mean standard output.

    Args:
        arguments: What was typed.

    Returns:
        The same with ``--json -`` wherever ``--json`` stands last or before another option.

    Example:
        >>> with_dashes(["gate", "a.csv", "--json"]), with_dashes(["gate", "--json", "out.json", "--help"])
        (['gate', 'a.csv', '--json', '-'], ['gate', '--json', 'out.json', '--help'])
    """
    mended: list[str] = []
    for place, word in enumerate(arguments):
        mended.append(word)
        following = arguments[place + 1] if place + 1 < len(arguments) else "--"
        if word == "--json" and following.startswith("-") and following != STANDARD_OUTPUT:
            mended.append(STANDARD_OUTPUT)
    return mended
