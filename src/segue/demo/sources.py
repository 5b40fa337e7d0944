"""Where the demo's pictures come from: a named folder, the cache, other libraries' folders, the network, or digits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from segue.demo import digits, fashion, fetch
from segue.demo.files import alone_in, staging, sweep
from segue.demo.pictures import PictureSet, UnavailableError
from segue.demo.progress import Progress
from segue.errors import InputError, require

VARIABLE = "SEGUE_FASHION_MNIST"

Fetch = Callable[[Path, Iterable[str], Progress], None]

FETCHES: dict[str, Fetch] = {
    f"Debian's package {fetch.PACKAGE}": fetch.from_debian,
    "its authors": fetch.from_authors,
}


@dataclass(frozen=True, slots=True)
class Found:
    """The pictures to use, and what stood in the way of better ones.

    Attributes:
        pictures: The pictures.
        obstacles: Why Fashion-MNIST can't be had, place by place; empty where it is used.
    """

    pictures: PictureSet
    obstacles: tuple[str, ...] = ()


def default_cache() -> Path:
    """Return the folder that keeps what was fetched: the system's place for a user's caches."""
    platformdirs = require("platformdirs", "demo", "the cache of the demo's pictures")
    return Path(platformdirs.user_cache_dir("segue", appauthor=False)) / "fashion-mnist"


def known_folders() -> Iterator[tuple[Path, str]]:
    """Yield the folders where Debian, Keras and torchvision keep the files, with a name for each.

    Yields:
        Folder and name.
    """
    yield Path("/") / fetch.PACKAGE_FOLDER, f"the installed Debian package {fetch.PACKAGE}"
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    yield keras / "datasets" / "fashion-mnist", "Keras' cache"
    yield Path("data/FashionMNIST/raw"), "torchvision's folder data"


def find(
    named: Path | None,
    progress: Progress,
    cache: Path | None = None,
    fetches: dict[str, Fetch] | None = None,
) -> Found:
    """Find Fashion-MNIST, fetch it if need be, and fall back on digits if it can't be had.

    Args:
        named: Folder that the user named, if any: then it is that one or an error.
        progress: Where to show how far a download is.
        cache: Where to keep what is fetched; the user's cache folder if none is given.
        fetches: Ways to fetch the files, by name, in the order in which they are tried.

    Returns:
        The pictures.

    Raises:
        InputError: If the named folder does not hold Fashion-MNIST.
    """
    if named is not None:
        try:
            return Found(fashion.read_folder(named, str(named)))
        except UnavailableError as reason:
            raise InputError(
                f"--data or {VARIABLE} names {str(named)!r}, which can't be used: {reason}; "
                f"it must hold {', '.join(f'{name}.gz' for name in fashion.CONTENTS)}"
            ) from None
    cache = cache or default_cache()
    obstacles = []
    try:
        return Found(fashion.read_folder(cache, f"cached in {cache}"))
    except UnavailableError as reason:
        if any(cache.glob("*-ubyte*")):
            obstacles.append(f"the cache is fetched anew ({reason})")
    for folder, name in known_folders():
        if folder.is_dir():
            try:
                return Found(fashion.read_folder(folder, name))
            except UnavailableError as reason:
                obstacles.append(str(reason))
    for name, way in (FETCHES if fetches is None else fetches).items():
        try:
            return Found(fetch_into(cache, way, name, progress))
        except UnavailableError as reason:
            obstacles.append(str(reason))
    return Found(digits.load(), tuple(obstacles))


def fetch_into(cache: Path, way: Fetch, name: str, progress: Progress) -> PictureSet:
    """Fetch the files into the cache, each checked before it appears there.

    Args:
        cache: The cache folder.
        way: How to fetch.
        name: What the way is called.
        progress: Where to show how far it is.

    Returns:
        The garments.

    Raises:
        UnavailableError: If the files can't be had this way, or the cache can't be written.
    """
    try:
        with alone_in(cache):
            sweep(cache)
            try:  # somebody else may have fetched them while this process waited
                return fashion.read_folder(cache, name)
            except UnavailableError:
                pass
            with staging(cache) as folder:
                way(folder, fashion.CONTENTS, progress)
                garments = fashion.read_folder(folder, name)
                for file in fashion.CONTENTS:
                    (folder / f"{file}.gz").replace(cache / f"{file}.gz")
                return garments
    except OSError as error:
        raise UnavailableError(f"{cache} can't be written ({error.strerror or error})") from None
