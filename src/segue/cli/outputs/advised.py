"""Advice in the forms that people and other programs read."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from segue.advise import Advice, Way
from segue.advise.words import headline, heads, table
from segue.cli.outputs.machine import to_json
from segue.cli.outputs.visible import visible

EXIT_CODES = {True: 0, False: 3}
"""By whether the data can tell."""


def advice_json(advice: Advice, notes: Sequence[str]) -> str:
    """Return advice as JSON.

    Args:
        advice: The advice.
        notes: What a reader must know of how files were read.

    Returns:
        The text, with a line break at its end.
    """
    told = advice.to_dict()
    told["notes"] = [*notes, *told["notes"]]
    return to_json({**told, "exit_code": EXIT_CODES[advice.recommended is not None]})


def show_advice(console: Console, advice: Advice, notes: Sequence[str]) -> None:
    """Print advice: what to do, why, and the table of all options.

    Args:
        console: Where to.
        advice: The advice.
        notes: What a reader must know of how files were read.
    """
    style = "yellow" if advice.recommended is None else "bold" if advice.recommended is Way.CHANGE_NOTHING else "green"
    console.print(Text(visible(headline(advice), most=1000), style=style))
    for reason in advice.reasons:
        console.print(Text(visible(reason, most=1000)))
    console.print()
    options = Table(*(visible(head, most=100) for head in heads(advice)), box=box.SIMPLE_HEAD, pad_edge=False)
    for row in table(advice):
        options.add_row(*(Text(visible(cell)) for cell in row))
    console.print(options)
    for note in (*notes, *advice.notes):
        console.print(Text(f"Note: {visible(note, most=1000)}."))
