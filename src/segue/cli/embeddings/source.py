"""A file with embeddings, or with what else is known of items, opened by its ending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from segue.errors import InputError

PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc", ".arrows")
TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


class Source(Protocol):
    """What is asked of a file.

    Attributes:
        told: What messages call it.
        names: The names of its columns or arrays; none where it is one nameless array.
        holds: What it calls them: ``"column"`` or ``"array"``.
        typed: Whether its values have types; all are text otherwise.
    """

    told: str
    names: Sequence[str]
    holds: str
    typed: bool

    def vectors(self, name: str) -> NDArray[Any]:
        """Return one vector per row, ``(n, d)``, as the file holds them.

        Args:
            name: The column.
        """
        ...

    def column(self, name: str) -> NDArray[Any]:
        """Return one value per row, ``(n,)``; None or NaN where there is none.

        Args:
            name: The column.
        """
        ...


def opened(path: str, option: str, *, embeddings: bool) -> Source:
    """Open a file.

    Args:
        path: The file.
        option: The argument or option that named it.
        embeddings: Whether it must hold embeddings, which text files do not.

    Returns:
        The file, not yet read.

    Raises:
        InputError: If there is none, or it is not of its format.
    """
    from segue.cli.embeddings import columns
    from segue.cli.embeddings.arrays import Npy, Npz

    file = Path(path).expanduser()
    ending = "".join(file.suffixes[-2:]).lower() if file.suffix.lower() == ".gz" else file.suffix.lower()
    known: dict[str, Callable[[Path], Source]] = {
        ".npy": Npy,
        ".npz": Npz,
        **dict.fromkeys(PARQUET, columns.Parquet),
        **dict.fromkeys(ARROW, columns.Arrow),
    }
    allowed = known if embeddings else {**known, **dict.fromkeys(TEXT, columns.Text)}
    if file.is_dir():
        raise InputError(f"{option} is the folder {path!r}; name a file")
    if not file.is_file():
        raise InputError(f"{option}: there is no file {path!r}; check the path")
    if ending not in allowed:
        formats = ".npy, .npz, .parquet or .arrow" if embeddings else ".csv, .parquet, .arrow, .npz or .npy"
        held = "embeddings" if embeddings else "labels"
        raise InputError(f"{option}: {file.name} is no file that {held} are read from; name one that ends in {formats}")
    if file.stat().st_size == 0:
        raise InputError(f"{file.name} is an empty file; check that it was written to its end")
    return allowed[ending](file)


def unreadable(told: str, form: str, said: object) -> str:
    """Return the sentence for a file that is not of its format.

    Args:
        told: The file's name.
        form: The format.
        said: What the library says that could not read it.

    Returns:
        The sentence.
    """
    lines = str(said).strip().splitlines()
    reason = f" ({lines[0].split('. ')[0].rstrip('.')})" if lines else ""
    return f"{told} can't be read as {form}{reason}; check that it is whole and of this format"
