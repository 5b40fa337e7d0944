"""docs/errors.md, made from the table of bad input: ``python -m tests.cli.errors_page > docs/errors.md``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.bad_input import Case, cases

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
HEAD = """\
# What Segue says when something is wrong

A mistake in what you pass is one sentence: it names the file, column, option or argument, says how many samples it
concerns and which, and what to do next. The command line prints it and ends with exit code 2; in Python it is a
`segue.errors.InputError` (a `ValueError`). Nothing is repaired, left out or guessed in silence.

Exit codes of every command: 0 all well (the gate: pass), 1 the gate fails or the cross test's criterion does not hold,
2 usage or bad input, 3 undecided: not enough data. 70 is a bug in Segue, 74 says that nobody read the output, 130 that
you interrupted it.

This page is checked by the tests: each line is typed or called, and must be told just this.
"""


def page(found: list[Case]) -> str:
    """Return the page."""
    typed = [case for case in found if case.words]
    called = [case for case in found if case.code]
    parts = [HEAD, f"## On the command line ({len(typed)} kinds)\n"]
    parts += [_entry(case, f"segue {case.words}") for case in typed]
    parts += [f"## In Python ({len(called)} kinds)\n"]
    parts += [_entry(case, case.code) for case in called]
    return "\n".join(parts)


def _entry(case: Case, given: str) -> str:
    kind = case.kind[:1].upper() + case.kind[1:]
    return f"{kind}: `{given}`\n\n```text\n{case.said}\n```\n"


if __name__ == "__main__":
    print(page(cases()), end="")
