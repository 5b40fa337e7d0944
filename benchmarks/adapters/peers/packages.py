"""Other packages' adapters, each run in an environment of its own; arrays go to and fro as files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from benchmarks.adapters.texts import Case
from benchmarks.adapters.tried import Search


@dataclass(frozen=True, slots=True)
class Peer:
    """A package with adapters.

    Attributes:
        package: Its name.
        version: Its version.
        module: What is imported.
        script: The file beside this one that runs it.
    """

    package: str
    version: str
    module: str
    script: str


PEERS = (
    Peer("drift-spark", "0.5.0", "drift.adapter", "drift_spark_side.py"),
    Peer("embspec", "0.1.0", "embspec", "embspec_side.py"),
    Peer("isotrieve", "0.4.0", "isotrieve.mapping", "isotrieve_side.py"),
)


def python_of(peer: Peer) -> str | None:
    """Return the Python of an environment with the peer, made in the user's cache folder if it is not there.

    Args:
        peer: The package.

    Returns:
        The interpreter; ``None`` where the package can't be installed.
    """
    folder = Path(platformdirs.user_cache_dir("segue")) / "peers" / f"{peer.package}-{peer.version}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if _imports(python, peer):
        return str(python)
    print(f"installing {peer.package} {peer.version} into an environment of its own", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*install, f"{peer.package}=={peer.version}"], capture_output=True, text=True, check=False)
    if done.returncode or not _imports(python, peer):
        print(f"{peer.package} can't be installed: {done.stderr[-500:]}", file=sys.stderr, flush=True)
        return None
    return str(python)


def _imports(python: Path, peer: Peer) -> bool:
    if not python.exists():
        return False
    return not subprocess.run([python, "-c", f"import {peer.module}"], capture_output=True, check=False).returncode


def ask(peer: Peer, python: str, case: Case) -> tuple[list[Search], dict[str, str]]:
    """Run a peer's adapters on the pairs of a draw.

    Args:
        peer: The package.
        python: Where it is installed.
        case: The draw.

    Returns:
        What each of its variants makes of queries and gallery, and why others did not run, by variant.
    """
    given = {
        "pairs_old": case.paired[0],
        "pairs_new": case.paired[1],
        "gallery_old": case.stored[0],
        "queries_new": case.queries[1],
    }
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, rows in given.items():
            np.save(folder / f"{name}.npy", rows)
        subprocess.run([python, Path(__file__).parent / peer.script, folder], check=True, capture_output=True)
        answer: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        found = []
        for one in answer["variants"]:
            mapped = np.load(folder / one["file"])
            whole = one["side"] == "gallery"
            queries, gallery = (case.queries[1], mapped) if whole else (mapped, case.stored[0])
            name = f"{peer.package}: {one['name']}"
            found.append(Search(one["side"], name, queries, gallery, one["seconds"], one["told"]))
    return found, {f"{peer.package}: {name}": why for name, why in answer["refused"].items()}
