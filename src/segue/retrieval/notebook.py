"""How results look in a notebook: their words line by line, and a table where numbers stand side by side."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Numbers side by side, as text.

    Attributes:
        heads: What stands above each column.
        rows: The cells of each row, as many as there are heads.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """Return the table as HTML."""
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in self.heads)
        rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


class Shown:
    """A result that notebooks show by its words."""

    def _repr_html_(self) -> str:
        """Return the words for notebooks."""
        return in_html(str(self).splitlines())


def in_html(lines: Iterable[str], table: Table | None = None) -> str:
    """Return words, and a table above them, as HTML.

    Args:
        lines: The words.
        table: The table, if there is one.

    Returns:
        One element.

    Example:
        >>> in_html(["a < b", "b = c"])
        '<div><p>a &lt; b<br>b = c</p></div>'
    """
    words = "<br>".join(html.escape(line) for line in lines)
    return f"<div>{'' if table is None else table}<p>{words}</p></div>"
