"""A page of candidates: its template filled and its style put in, in one self-contained file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from segue import __version__
from segue.errors import InputError
from segue.report import words


def filled(template: str, date: datetime | None, functions: dict[str, Callable[..., Any]], **values: Any) -> str:
    """Fill a template.

    Args:
        template: Its file.
        date: When the candidates were made; now by default.
        functions: What the template calls, by name.
        **values: What it shows.

    Returns:
        The page.
    """
    environment = Environment(
        loader=PackageLoader("segue.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(words=words, **functions)
    environment.filters["commas"] = lambda value: f"{value:,}"
    page = environment.get_template(template).render(
        version=__version__,
        date=date or datetime.now(UTC),
        style=Markup(_asset("report.css") + _asset("front.css")),
        **values,
    )
    return page.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate in a name can't be written


def write_page(page: str, path: str | Path) -> Path:
    """Write a page.

    Args:
        page: The page.
        path: The file; an existing one is replaced.

    Returns:
        The file written.

    Raises:
        InputError: If it can't be written.
    """
    target = Path(path)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the picture can't be written to {str(target)!r} ({error.strerror or error}); choose another path"
        ) from error
    return target


def _asset(name: str) -> str:
    return (resources.files("segue.report") / "templates" / name).read_text(encoding="utf-8")
