"""Messages of the library in the command line's own words: ``missing='drop'`` is ``--missing drop`` there."""

from __future__ import annotations

import re
from collections.abc import Callable

Words = str | Callable[[re.Match[str]], str]

_ODD = "missing|nulls|duplicates|labels_disagree"
_TYPED = "max_nfr|max_relative_nfr|max_churn|min_accuracy_change|min_score_change|minimum_samples|on|confidence"
_PHRASES: tuple[tuple[str, Words], ...] = (
    (rf"\b({_ODD})='(\w+)'( or '(\w+)')?", lambda m: f"{_option(m[1])} {m[2]}" + (f" or {m[4]}" if m[4] else "")),
    (rf"^({_ODD}|memory|temp_directory|disk|flips_to|flips|threads|tolerance|confidence)\b", lambda m: _option(m[1])),
    (r"^(nfr|budget|samples|power)(?= is )", lambda m: _option(m[1])),
    (r"\bwith (memory|temp_directory|disk)=", lambda m: f"with {_option(m[1])}"),
    (r"^class_map\b", "--class-map"),
    (r"\bname the column with id=", "name the column with --id"),
    (r"\bpass class_map\b", "pass --class-map FILE"),
    (r"\bgraded scores with compare_score_tables\(\)", "graded scores with --score COLUMN"),
    (r"\bmeasure with confidence=([\d.]+)", r"measure with --confidence \1"),
    (r"\bmetric='inner-product' or metric='l2'", "--metric inner-product or --metric l2"),
    (r"^relevance has (every gallery item|nothing) relevant to\b", r"\1 is relevant to"),
    (r"\bwithout_relevant='leave out'", "--without-relevant drop"),
    (r"^(measure|metric|index|at_least)(?= is | '| needs )", lambda m: _option(m[1])),
    (r"(?<=dimensions: )Error in .* at \S+:\d+: ", ""),  # where in faiss it was raised
    (r"^qrels\b", "--qrels"),
    (r"\bpass queries_to_old, the", "pass --queries-to-old, the"),
    (r" \(queries_new\[.*? if the model was", " (the first columns if the model was"),
    (r"\bor gallery_to_new, the", "or --gallery-to-new, the"),
    (r"\bleave index out\b", "leave --index out"),
    (r"^the policy is wrong: max_nfr in \[every_slice\]", "--max-slice-nfr"),
    (rf"^the policy is wrong: ({_TYPED})\b", lambda m: _option(m[1])),
)
_OF_OPTIONS = (("set on = 'point'", "pass --on point"), ("by name in [golden]", "by name with --golden FILE"))


def for_the_command_line(sentence: str) -> str:
    """Return a message with the options' names in place of the arguments'.

    Args:
        sentence: What the library said.

    Returns:
        The same in the words that were typed.

    Example:
        >>> for_the_command_line("complete it, or compare what both have with missing='drop'")
        'complete it, or compare what both have with --missing drop'
        >>> for_the_command_line("the policy is wrong: max_nfr is 7 but must be below 1")
        '--max-nfr is 7 but must be below 1'
    """
    told = sentence
    for pattern, words in _PHRASES:
        told = re.sub(pattern, words, told)
    if sentence.startswith("the policy is wrong: "):  # no file has this policy: it was typed
        for said, typed in _OF_OPTIONS:
            told = told.replace(said, typed)
    return told


def _option(name: str) -> str:
    return "--" + {"memory": "memory-limit"}.get(name, name.replace("_", "-"))
