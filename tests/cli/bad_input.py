"""Kinds of bad input, each with the exact sentence that it gets: ``bad_input.toml`` read, and its files made."""

from __future__ import annotations

import pickle
import tomllib
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segue.congruent.decisions import Confusion, PredictionStore, SwitchRule
from segue.congruent.recipes import FewestFlips, MostAccurate
from segue.errors import InputError
from segue.flips import Policy, compare, compare_scores, decide
from segue.retrieval import Relevance, cross_test, retrieval_flips, search
from tests.cli import embedded
from tests.cli.tables import segue, write_pair

TABLE = Path(__file__).with_name("bad_input.toml")
NAMES = {
    "np": np,
    **{
        one.__name__: one
        for one in (
            compare, compare_scores, decide, Policy, Confusion, PredictionStore, SwitchRule, FewestFlips, MostAccurate,
            Relevance, cross_test, retrieval_flips, search,
        )
    },
}  # fmt: skip
SAMPLES = 24
SEARCHES = "cross-test", "retrieval-flips", "advise", "adapter"
SAVED = {name: getattr(embedded, name) for name in ("save", "OLD", "NEW", "IDS", "LABELS")}
SAVED |= {"np": np, "pa": pa, "pickle": pickle, "Path": Path, "nan": float("nan")}
UPDATE = """\
import torch
from segue.congruent.recipes import StoredLogits, Update

def samples(count):
    return torch.randn(count, 4), torch.arange(count) % 2

def build():
    return torch.nn.Linear(4, 2)

def optimizer(parameters):
    return torch.optim.SGD(parameters, lr=0.1)

train, validation = samples(40), samples(20)
"""

OTHER_KIND = "segue.congruent.recipes import StoredLogits", "segue.compatible.recipes import StoredEmbeddings"


def old_model(**arrays: Any) -> None:
    """Save what an old model left of the samples of ``UPDATE``, and other arrays in its place; ``None`` for nothing."""
    Path("old").mkdir()
    sound = {"train": np.ones((40, 3), np.float32), "validation": np.ones((20, 3), np.float32)}
    for name, array in {**sound, **arrays}.items():
        if isinstance(array, dict):
            np.savez(f"old/{name}.npz", **array)
        elif array is not None:
            np.save(f"old/{name}.npy", array)


@dataclass(frozen=True)
class Case:
    """Something that a user does wrong.

    Attributes:
        kind: What is wrong, in a few words.
        said: The sentence.
        words: What is typed after ``segue``, in a folder with ``old.csv`` and ``new.csv``; or empty. For searches there
            are embeddings too, in files of every kind.
        code: What is called in Python; or empty.
        files: Texts by the names of their files.
        latin: The same, written in another encoding than UTF-8.
        old: Columns of ``old.csv`` whose first values are others.
        new: Columns of ``new.csv`` whose first values are others.
        half: A file of which only the first half is there.
        folder: A folder that is made.
        first: What was typed before, and went well.
        saved: Python that writes files of embeddings with something wrong.
        update: The last lines of ``update.py``, which is made where there are any.
    """

    kind: str
    said: str
    words: str = ""
    code: str = ""
    files: dict[str, str] = field(default_factory=dict)
    latin: dict[str, str] = field(default_factory=dict)
    old: dict[str, list[Any]] = field(default_factory=dict)
    new: dict[str, list[Any]] = field(default_factory=dict)
    half: str = ""
    folder: str = ""
    first: str = ""
    saved: str = ""
    update: str | None = None

    def make(self, folder: Path) -> None:
        """Make the files, beside a sound pair where the case does not say otherwise."""
        changes = {f"old_{name}": self._column(name, values) for name, values in self.old.items()}
        changes |= {f"new_{name}": self._column(name, values) for name, values in self.new.items()}
        write_pair(folder, SAMPLES, **changes)
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name, text in self.latin.items():
            (folder / name).write_text(text, encoding="latin-1")
        if self.words.startswith(SEARCHES):
            embedded.save_all(folder)
        if self.saved:
            with chdir(folder):
                exec(self.saved, {**SAVED, "old_model": old_model})
        if self.half:
            pq.write_table(pa.table({"id": range(1000), "prediction": ["a"] * 1000}), folder / self.half)
            whole = (folder / self.half).read_bytes()
            (folder / self.half).write_bytes(whole[: len(whole) // 2])
        if self.folder:
            (folder / self.folder).mkdir()
        if self.update is not None:
            begin = UPDATE.replace(*OTHER_KIND) if "(old)" in self.update else UPDATE
            (folder / "update.py").write_text(begin + self.update, encoding="utf-8")
        if self.first:
            assert segue(*self.first.split(), cwd=folder).returncode == 0

    def told(self, folder: Path) -> tuple[int, str]:
        """Do it, and return the exit code (2 for an error in Python) and what is said, on one or more lines."""
        if self.words:
            done = segue(*self.words.split(), cwd=folder)
            assert done.stdout == ""
            return done.returncode, done.stderr.removeprefix("Error: ").removesuffix("\n")
        try:
            eval(self.code, dict(NAMES))
        except InputError as error:
            return 2, str(error)
        return 0, ""

    def _column(self, name: str, values: list[Any]) -> list[Any]:
        rest = {
            "id": [f"s{number}" for number in range(SAMPLES)],
            "label": ["cat", "dog"] * (SAMPLES // 2),
            "prediction": ["cat", "dog"] * (SAMPLES // 2),
        }.get(name)
        if len(values) == 1 and rest is None:
            return values * SAMPLES
        return [*values, *(rest or [1] * SAMPLES)[len(values) :]]


def cases() -> list[Case]:
    """Return all cases, those of the command line first."""
    return [Case(**entry) for entry in tomllib.loads(TABLE.read_text(encoding="utf-8"))["case"]]
