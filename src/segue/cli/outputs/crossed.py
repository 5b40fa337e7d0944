"""Cross tests in the forms that people and other programs read."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from segue.cli.outputs.machine import to_json
from segue.cli.outputs.visible import visible
from segue.retrieval.cross_result import Compatible, CrossTest
from segue.retrieval.cross_words import sentences, table

SCHEMA = "segue.cross-test/1"
EXIT_CODES = {Compatible.YES: 0, Compatible.NO: 1, Compatible.UNDECIDED: 3}
STYLES = {Compatible.YES: "green", Compatible.NO: "bold red", Compatible.UNDECIDED: "yellow"}


def verdict(tests: Sequence[CrossTest]) -> Compatible:
    """Return what several measures say together.

    Args:
        tests: The cross tests.

    Returns:
        No where the criterion fails by any measure, else "can't tell" where any can't, else yes.
    """
    found = {test.compatible for test in tests}
    return next(one for one in (Compatible.NO, Compatible.UNDECIDED, Compatible.YES) if one in found)


def cross_json(tests: Sequence[CrossTest], notes: Sequence[str]) -> str:
    """Return cross tests as JSON.

    Args:
        tests: One for each measure.
        notes: What a reader must know of how they were made.

    Returns:
        The text, with a line break at its end.
    """
    whole = verdict(tests)
    return to_json(
        {
            "schema": SCHEMA,
            "compatible": str(whole),
            "exit_code": EXIT_CODES[whole],
            "notes": list(notes),
            "tests": [test.to_dict() for test in tests],
        }
    )


def show_cross_tests(console: Console, tests: Sequence[CrossTest], notes: Sequence[str]) -> None:
    """Print cross tests: each measure's table and what follows from it.

    Args:
        console: Where to.
        tests: One for each measure.
        notes: What a reader must know of how they were made.
    """
    for test in tests:
        cells = Table("queries", "gallery", test.measure, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in table(test):
            cells.add_row(*(Text(visible(cell)) for cell in row))
        console.print(cells)
        first, *others = (visible(sentence, most=1000) for sentence in sentences(test))
        console.print(Text(first, style=STYLES[test.compatible]))
        console.print(Text("\n".join([*others, ""])))
    for note in notes:
        console.print(Text(f"Note: {visible(note, most=1000)}."))
