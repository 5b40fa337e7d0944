"""Messages of the library in the command line's own words: ``missing='drop'`` is ``--missing drop`` there."""

from __future__ import annotations

import re

_PHRASES = (
    (re.compile(r"\b(missing|nulls|duplicates|labels_disagree)='(\w+)'"), lambda m: f"--{_dashed(m[1])} {m[2]}"),
    (re.compile(r"\bname the column with id="), lambda _: "name the column with --id"),
    (re.compile(r"\bpass class_map=\{old class: new class\}"), lambda _: "pass --class-map FILE"),
    (re.compile(r"\bpass class_map\b"), lambda _: "pass --class-map FILE"),
    (re.compile(r"\bwith (memory|temp_directory|disk)="), lambda m: f"with --{_option(m[1])}"),
    (re.compile(r"\bmeasure with confidence=([\d.]+)"), lambda m: f"measure with --confidence {m[1]}"),
    (re.compile(r"^(memory|temp_directory|flips_to|threads|tolerance|confidence)\b"), lambda m: f"--{_option(m[1])}"),
)


def for_the_command_line(sentence: str) -> str:
    """Return a message with the options' names in place of the arguments'.

    Args:
        sentence: What the library said.

    Returns:
        The same in the words that were typed.

    Example:
        >>> for_the_command_line("complete it, or compare what both have with missing='drop'")
        'complete it, or compare what both have with --missing drop'
    """
    for pattern, words in _PHRASES:
        sentence = pattern.sub(words, sentence)
    return sentence


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _option(name: str) -> str:
    return {"memory": "memory-limit"}.get(name, _dashed(name))
