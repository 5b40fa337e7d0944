"""Fetch the four files of Fashion-MNIST: from Debian's package where there is ``apt-get``, or from its authors."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from segue.demo.pictures import UnavailableError
from segue.demo.progress import BYTES, Advance, Progress

PACKAGE = "dataset-fashion-mnist"
PACKAGE_FOLDER = Path("usr/share/datasets/fashion-mnist")
PACKAGE_BYTES = 30_900_652

# The address in the data set's own README. It is plain http: what arrives counts only if its sha256 is the pinned one.
AUTHORS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
AUTHORS_BYTES = 30_878_645

APT_SECONDS = 60
SILENCE_SECONDS = 10
LOOK_EVERY_SECONDS = 0.1
CHUNK = 1 << 16


def from_debian(into: Path, names: Iterable[str], progress: Progress) -> None:
    """Download Debian's package and take the files out of it; needs no root, installs nothing.

    apt verifies the package's signature. Where the machine has no package lists (a fresh container), they are fetched
    into ``into``.

    Args:
        into: An empty folder for the files ``<name>.gz``, and for what is needed on the way.
        names: Names of the files without ``.gz``.
        progress: Where to show how far it is.

    Raises:
        UnavailableError: If there is no apt, or it can't get the package.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnavailableError("this machine has no apt-get")
    (into / "cache" / "archives" / "partial").mkdir(parents=True)
    (into / "lists" / "partial").mkdir(parents=True)
    options = ["-o", f"Dir::Cache={into / 'cache'}", "-o", "Acquire::Retries=0"]
    options += ["-o", f"Acquire::http::Timeout={SILENCE_SECONDS}", "-o", f"Acquire::https::Timeout={SILENCE_SECONDS}"]
    own_lists = ["-o", f"Dir::State::Lists={into / 'lists'}"]
    give_up = time.monotonic() + APT_SECONDS
    with progress.step(f"fetching Debian's {PACKAGE}", PACKAGE_BYTES, BYTES) as advance:
        try:
            run_watched(["apt-get", *options, "download", PACKAGE], into, give_up, advance)
        except UnavailableError:
            run_watched(["apt-get", *options, *own_lists, "update"], into, give_up, lambda count: None)
            run_watched(["apt-get", *options, *own_lists, "download", PACKAGE], into, give_up, advance)
    for package in into.glob(f"{PACKAGE}*.deb"):
        run_watched(["dpkg-deb", "-x", package.name, "unpacked"], into, give_up, lambda count: None)
    for name in names:
        try:
            (into / "unpacked" / PACKAGE_FOLDER / f"{name}.gz").replace(into / f"{name}.gz")
        except OSError:
            raise UnavailableError(f"Debian's {PACKAGE} holds no {name}.gz") from None


def run_watched(command: list[str], folder: Path, give_up: float, advance: Advance) -> None:
    """Run a command in a folder, and tell how the packages in that folder grow meanwhile.

    Args:
        command: The command.
        folder: Where it runs.
        give_up: When to stop it, on ``time.monotonic``'s clock.
        advance: Called with the number of bytes that came since the last call.

    Raises:
        UnavailableError: If the command can't be run, fails, or takes too long.
    """
    errors = folder / "errors.txt"
    with errors.open("wb") as stream:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stream,
            )
        except OSError as error:
            raise UnavailableError(f"{command[0]} can't be run ({error.strerror})") from None
        seen = 0
        try:
            while process.poll() is None:
                if time.monotonic() > give_up:
                    raise UnavailableError(f"{command[0]} was not done after {APT_SECONDS} s")
                time.sleep(LOOK_EVERY_SECONDS)
                size = sum(package.stat().st_size for package in folder.glob("*.deb"))
                advance(size - seen)
                seen = size
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        said = [line for line in errors.read_text(errors="replace").splitlines() if line.startswith("E: ")]
        raise UnavailableError(f"{command[0]} failed" + (f" ({said[-1].removeprefix('E: ')})" if said else ""))


def from_authors(into: Path, names: Iterable[str], progress: Progress, address: str = AUTHORS) -> None:
    """Download the files from the data set's authors.

    Args:
        into: An empty folder for the files ``<name>.gz``.
        names: Names of the files without ``.gz``.
        progress: Where to show how far it is.
        address: Web folder that holds the files.

    Raises:
        UnavailableError: If a file can't be downloaded whole.
    """
    with progress.step("fetching Fashion-MNIST", AUTHORS_BYTES, BYTES) as advance:
        for name in names:
            try:
                download(f"{address}/{name}.gz", into / f"{name}.gz", advance)
            except (OSError, http.client.HTTPException) as error:
                reason = error.reason if type(error) is urllib.error.URLError else error
                raise UnavailableError(f"{address}/{name}.gz can't be downloaded ({reason})") from None


def download(address: str, path: Path, advance: Advance) -> None:
    """Download one file.

    Args:
        address: Its web address.
        path: Where to write it.
        advance: Called with the number of bytes that came since the last call.

    Raises:
        OSError: If there is no answer, or not the file, or ``path`` can't be written.
        http.client.HTTPException: If the answer breaks off.
    """
    with urllib.request.urlopen(address, timeout=SILENCE_SECONDS) as answer, path.open("wb") as file:
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            advance(len(chunk))
