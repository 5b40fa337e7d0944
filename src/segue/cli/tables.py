"""What ``segue compare`` and ``segue gate`` are asked: which tables, which columns, what to do with odd samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from segue.cli.numbers import number, whole

COLUMNS = "Columns"
SCORES = "Graded scores in place of answers"
ODD = "Samples that are not as they should be (refused unless you choose)"
SHOWN = "Results"
MACHINE = "Limits of the machine"


def option(
    panel: str, metavar: str, words: str, *names: str, parser: Callable[[str], Any] | None = None
) -> typer.models.OptionInfo:
    """Describe an option.

    Args:
        panel: The part of the help that it stands in.
        metavar: What is passed, in a word.
        words: What it is for.
        *names: The option's names, where they are not the parameter's.
        parser: What reads the typed text.

    Returns:
        What typer wants to know of it.
    """
    described: typer.models.OptionInfo = typer.Option(
        *names, metavar=metavar, help=words, rich_help_panel=panel, parser=parser
    )
    return described


@dataclass(frozen=True)
class Tables:
    """The arguments and options of a comparison, as they were typed."""

    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="The old model's predictions: a Parquet, CSV, JSON lines or Arrow file, a folder or quoted glob of "
            "such files, or a database's URL#TABLE.",
        ),
    ]
    new: Annotated[
        str | None,
        typer.Argument(metavar="NEW", help="The new model's; left out where OLD holds both models' answers."),
    ] = None

    id: Annotated[str | None, option(COLUMNS, "COLUMN", "The samples' ids, on which OLD and NEW are joined.")] = None
    label: Annotated[str, option(COLUMNS, "COLUMN", "The truth.")] = "label"
    prediction: Annotated[str, option(COLUMNS, "COLUMN", "Both models' answers.")] = "prediction"
    old_prediction: Annotated[
        str | None, option(COLUMNS, "COLUMN", "The old model's answers, where the columns' names differ.")
    ] = None
    new_prediction: Annotated[str | None, option(COLUMNS, "COLUMN", "The new model's answers.")] = None
    new_id: Annotated[str | None, option(COLUMNS, "COLUMN", "The ids in NEW, where the name differs.")] = None
    new_label: Annotated[str | None, option(COLUMNS, "COLUMN", "The truth in NEW, where the name differs.")] = None
    slice: Annotated[
        list[str] | None, option(COLUMNS, "COLUMN", "Break the rates down by this column; may be repeated.")
    ] = None
    discover: Annotated[
        bool,
        typer.Option(
            "--discover",
            help="Also look for conjunctions of conditions on the slice columns in which flips concentrate.",
            rich_help_panel=COLUMNS,
        ),
    ] = False
    weight: Annotated[str | None, option(COLUMNS, "COLUMN", "Sample weights.")] = None
    group: Annotated[
        str | None, option(COLUMNS, "COLUMN", "The customer or patient that samples share: not independent.")
    ] = None
    class_map: Annotated[
        str | None,
        option(COLUMNS, "FILE", "What each old class is called now, where they differ: a TOML or JSON table."),
    ] = None

    score: Annotated[str | None, option(SCORES, "COLUMN", "Both models' scores; higher is better.")] = None
    old_score: Annotated[
        str | None, option(SCORES, "COLUMN", "The old model's scores, where the columns' names differ.")
    ] = None
    new_score: Annotated[str | None, option(SCORES, "COLUMN", "The new model's scores.")] = None
    tolerance: Annotated[
        float | None, option(SCORES, "NUMBER", "A drop up to this is no flip; 0 by default.", parser=number)
    ] = None

    missing: Annotated[str, option(ODD, "refuse|drop", "Samples that OLD or NEW lacks.")] = "refuse"
    nulls: Annotated[str, option(ODD, "refuse|drop|wrong", "Samples without answer or label.")] = "refuse"
    duplicates: Annotated[str, option(ODD, "refuse|merge", "Several equal rows of one id.")] = "refuse"
    labels_disagree: Annotated[str, option(ODD, "refuse|old|new", "Labels that differ: whose to take.")] = "refuse"

    report: Annotated[str | None, option(SHOWN, "FILE", "Write a report as one HTML file.")] = None
    json: Annotated[str | None, option(SHOWN, "FILE", "Write JSON to a file, or to standard output for -.")] = None
    flips_to: Annotated[str | None, option(SHOWN, "FILE", "Write all flipped samples to a Parquet or CSV file.")] = None
    flips: Annotated[int, option(SHOWN, "NUMBER", "Flipped samples in the report, at most.", parser=whole)] = 1000
    column: Annotated[
        list[str] | None,
        option(
            SHOWN,
            "COLUMN",
            "Show this column of flipped samples too: text, or pictures (bytes or paths); may be repeated.",
            "--column",
            "--text",
            "--image",
        ),
    ] = None
    image_folder: Annotated[str | None, option(SHOWN, "FOLDER", "Where relative paths of pictures start.")] = None
    old_confidence: Annotated[str | None, option(SHOWN, "COLUMN", "How sure the old model is of its answers.")] = None
    new_confidence: Annotated[str | None, option(SHOWN, "COLUMN", "How sure the new model is of its answers.")] = None
    old_name: Annotated[str | None, option(SHOWN, "NAME", "What the old model is called.")] = None
    new_name: Annotated[str | None, option(SHOWN, "NAME", "What the new model is called.")] = None
    confidence: Annotated[
        float | None, option(SHOWN, "SHARE", "Coverage of the intervals; 0.95 by default.", parser=number)
    ] = None

    memory_limit: Annotated[str, option(MACHINE, "SIZE", "Memory to use; beyond it, data go to disk.")] = "1GB"
    threads: Annotated[int | None, option(MACHINE, "NUMBER", "Threads to use; all cores by default.", parser=whole)] = (
        None
    )
    temp_directory: Annotated[str | None, option(MACHINE, "FOLDER", "Where data go that exceed memory.")] = None
    progress: Annotated[
        bool, typer.Option(help="Show progress on standard error, if it is a terminal.", rich_help_panel=MACHINE)
    ] = True

    @property
    def inputs(self) -> list[str]:
        """The files that are read."""
        return [path for path in (self.old, self.new, self.class_map) if path is not None]

    @property
    def outputs(self) -> dict[str, str | None]:
        """The files that are written, by option."""
        return {"--report": self.report, "--json": self.json, "--flips-to": self.flips_to}

    @property
    def graded(self) -> bool:
        """Whether scores are compared, not answers."""
        return self.score is not None or self.old_score is not None or self.new_score is not None
