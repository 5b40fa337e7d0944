"""Write two prediction tables, compare them, hold the update against a policy, write the report.

What is called here is what a user would call on tables of their own.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from segue.demo.files import write_whole
from segue.demo.pictures import PictureSet
from segue.demo.progress import Progress
from segue.demo.properties import PROPERTIES
from segue.demo.tables import answers_table, described, protected_ids, write_parquet
from segue.demo.training import Answers
from segue.flips import Decision, FlipReport, compare_tables, decide
from segue.report import write_report

OLD, NEW, POLICY, GOLDEN, REPORT = "champion.parquet", "challenger.parquet", "policy.toml", "golden.txt", "report.html"
NAMES = ("champion", "challenger")
SHOWN = ("confidence", "image")


@dataclass(frozen=True)
class Judged:
    """What was found.

    Attributes:
        report: The comparison.
        decision: What the gate decided.
        commands: What to type for the same comparison, and for the same decision.
    """

    report: FlipReport
    decision: Decision
    commands: tuple[str, ...]


def judge(pictures: PictureSet, champion: Answers, challenger: Answers, out: Path, progress: Progress) -> Judged:
    """Write the tables, compare them, decide, and write the report.

    Args:
        pictures: The pictures; the test part was answered.
        champion: The old model's answers.
        challenger: The new model's answers.
        out: The folder for all files.
        progress: Where to show how far it is.

    Returns:
        What was found.
    """
    labels, slices = pictures.test.labels, (pictures.noun, *PROPERTIES)
    commands = commands_for(pictures.noun, out)
    with progress.step("comparing the two", 3, "steps") as advance:
        table = described(pictures, answers_table(pictures, challenger))
        write_parquet(answers_table(pictures, champion), out / OLD)
        write_parquet(table, out / NEW)
        write_policy(pictures.noun, protected_ids(table), out)
        advance(1)
        report = compare_tables(
            out / OLD,
            out / NEW,
            id="id",
            slices=slices,
            columns=SHOWN,
            flips=len(labels),
            names=NAMES,
            discover_slices=True,
        )
        advance(1)
        decision = decide(report, out / POLICY, ids=table.column("id").to_pylist())
        title = f"May the new {pictures.noun} model ship?"
        write_whole(
            out / REPORT, lambda path: write_report(report, path, decision=decision, title=title, command=commands[-1])
        )
        advance(1)
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


def commands_for(noun: str, out: Path) -> tuple[str, ...]:
    """Return what to type for the same comparison, and for the same decision with a report.

    Args:
        noun: What a picture shows, the first slice column.
        out: The folder with the tables.

    Returns:
        The two commands, one line each.
    """
    tables = shlex.join([str(out / OLD), str(out / NEW), "--id", "id"])
    slices = " ".join(f"--slice {name}" for name in PROPERTIES)
    gate = shlex.join(["--policy", str(out / POLICY), "--image", "image", "--column", "confidence"])
    page = shlex.join(["--report", str(out / REPORT)])
    return (
        f"segue compare {tables} --slice {noun}",
        f"segue gate {tables} --slice {noun} {slices} --discover {gate} {page}",
    )
