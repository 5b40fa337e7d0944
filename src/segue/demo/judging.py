"""Write two prediction tables, compare them, hold the update against a policy, write the report.

What is called here is what a user would call on tables of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from segue.demo.files import write_whole
from segue.demo.pictures import PictureSet
from segue.demo.properties import PROPERTIES
from segue.demo.tables import answers_table, described, protected_ids, write_parquet
from segue.demo.training import Answers
from segue.flips import Decision, FlipReport, compare_tables, decide, discover
from segue.report import write_report

OLD, NEW, POLICY, GOLDEN, REPORT = "champion.parquet", "challenger.parquet", "policy.toml", "golden.txt", "report.html"
NAMES = ("champion", "challenger")
SHOWN = ("confidence", "image")
ALL_FLIPS = 100_000


@dataclass(frozen=True)
class Judged:
    """What was found.

    Attributes:
        report: The comparison.
        decision: What the gate decided.
        commands: What to type in the folder of the tables for the same report and the same decision.
    """

    report: FlipReport
    decision: Decision
    commands: tuple[str, ...]


def judge(pictures: PictureSet, champion: Answers, challenger: Answers, out: Path) -> Judged:
    """Write the tables, compare them, decide, and write the report.

    Args:
        pictures: The pictures; the test part was answered.
        champion: The old model's answers.
        challenger: The new model's answers.
        out: The folder for all files.

    Returns:
        What was found.
    """
    table = described(pictures, answers_table(pictures, challenger))
    write_parquet(answers_table(pictures, champion), out / OLD)
    write_parquet(table, out / NEW)
    write_policy(pictures.noun, protected_ids(table), out)

    slices = (pictures.noun, *PROPERTIES)
    report = compare_tables(out / OLD, out / NEW, id="id", slices=slices, columns=SHOWN, flips=ALL_FLIPS, names=NAMES)
    right = champion.classes == pictures.test.labels
    broken = right & (challenger.classes != pictures.test.labels)
    report = replace(report, discovery=discover(columns_of(table, slices), broken, among=right))
    decision = decide(report, out / POLICY, ids=table.column("id").to_pylist())

    commands = commands_for(slices)
    title = f"May the new {pictures.noun} model ship?"
    write_whole(
        out / REPORT, lambda path: write_report(report, path, decision=decision, title=title, command=commands[0])
    )
    return Judged(report, decision, commands)


def write_policy(noun: str, protected: list[str], out: Path) -> None:
    """Write the policy, and the list of protected samples that it names.

    Args:
        noun: What a picture shows; the slice column of that name has a budget.
        protected: Ids of the protected samples.
        out: The folder.
    """
    policy = resources.files("segue.demo").joinpath(POLICY).read_text(encoding="utf-8").replace("garment", noun)
    golden = "\n".join([f"# {noun}s that may never flip from right to wrong", *protected, ""])
    write_whole(out / POLICY, lambda path: path.write_text(policy, encoding="utf-8"))
    write_whole(out / GOLDEN, lambda path: path.write_text(golden, encoding="utf-8"))


def columns_of(table: pa.Table, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Return some columns of a table as arrays, by name."""
    return {name: table.column(name).to_numpy() for name in names}


def commands_for(slices: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to type for the same report and the same decision.

    Args:
        slices: The slice columns.

    Returns:
        The commands, one line each.
    """
    tables = f"{OLD} {NEW} --id id"
    told = " ".join(f"--slice {name}" for name in slices)
    shown = " ".join(f"--column {name}" for name in SHOWN)
    return (
        f"segue compare {tables} {told} {shown} --report {REPORT}",
        f"segue gate {tables} --slice {slices[0]} --policy {POLICY}",
    )
