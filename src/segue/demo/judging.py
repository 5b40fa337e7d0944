"""Write prediction tables, compare them, hold each update against a policy, write the reports.

What is called here is what a user would call on tables of their own.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from segue.demo.files import write_whole
from segue.demo.pictures import PictureSet
from segue.demo.properties import PROPERTIES
from segue.demo.tables import answers_table, described, ids, protected_ids, write_parquet
from segue.demo.training import Answers
from segue.flips import Decision, FlipReport, compare_tables, decide
from segue.report import write_report

OLD, POLICY, GOLDEN = "champion.parquet", "policy.toml", "golden.txt"
CHAMPION = "champion"
SHOWN = ("confidence", "image")


@dataclass(frozen=True, slots=True)
class Contender:
    """A model that is to take the champion's place.

    Attributes:
        name: What it is called.
        table: File of its answers.
        report: File of its report.
        title: Title of the report, with a place for what a picture shows.
    """

    name: str
    table: str
    report: str
    title: str


CHALLENGER = Contender("challenger", "challenger.parquet", "report.html", "May the new {} model ship?")
CONGRUENT = Contender(
    "congruent challenger", "congruent.parquet", "congruent.html", "May the congruently trained {} model ship?"
)


@dataclass(frozen=True)
class Judged:
    """What was found.

    Attributes:
        contender: Of which model.
        report: The comparison.
        decision: What the gate decided.
        commands: What to type for the same comparison, and for the same decision.
    """

    contender: Contender
    report: FlipReport
    decision: Decision
    commands: tuple[str, ...]


def lay_out(pictures: PictureSet, champion: Answers, answers: Mapping[Contender, Answers], out: Path) -> None:
    """Write all that a comparison reads: the tables, the policy, the list of protected samples.

    Args:
        pictures: The pictures; the test part was answered.
        champion: The old model's answers.
        answers: The answers of each contender.
        out: The folder.
    """
    write_parquet(answers_table(pictures, champion), out / OLD)
    for contender, said in answers.items():
        write_parquet(described(pictures, answers_table(pictures, said)), out / contender.table)
    write_policy(pictures.noun, protected_ids(pictures), out)


def judge(pictures: PictureSet, contender: Contender, out: Path) -> Judged:
    """Compare a contender's table with the champion's, decide, and write the report.

    Args:
        pictures: The pictures; the test part was answered.
        contender: Whose table it is.
        out: The folder with what :func:`lay_out` wrote.

    Returns:
        What was found.
    """
    commands = commands_for(contender, pictures.noun, out)
    report = compare_tables(
        out / OLD,
        out / contender.table,
        id="id",
        slices=(pictures.noun, *PROPERTIES),
        columns=SHOWN,
        flips=len(pictures.test),
        names=(CHAMPION, contender.name),
        discover_slices=True,
    )
    decision = decide(report, out / POLICY, ids=ids(pictures))
    title = contender.title.format(pictures.noun)
    write_whole(
        out / contender.report,
        lambda path: write_report(report, path, decision=decision, title=title, command=commands[-1]),
    )
    return Judged(contender, report, decision, commands)


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


def commands_for(contender: Contender, noun: str, out: Path) -> tuple[str, ...]:
    """Return what to type for the same comparison, and for the same decision with a report.

    Args:
        contender: Whose table is compared with the champion's.
        noun: What a picture shows, the first slice column.
        out: The folder with the tables.

    Returns:
        The two commands, one line each.
    """
    tables = shlex.join([str(out / OLD), str(out / contender.table), "--id", "id"])
    slices = " ".join(f"--slice {name}" for name in PROPERTIES)
    gate = shlex.join(["--policy", str(out / POLICY), "--image", "image", "--column", "confidence"])
    page = shlex.join(["--report", str(out / contender.report)])
    return (
        f"segue compare {tables} --slice {noun}",
        f"segue gate {tables} --slice {noun} {slices} --discover {gate} {page}",
    )
