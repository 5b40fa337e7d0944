"""What the subcommands are told: the arguments and options that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from segue.cli.numbers import number
from segue.cli.tables import COLUMNS, SHOWN, option

METHOD = "How answers are weighed"

StateFile = Annotated[str, typer.Argument(metavar="STATE", help="The file that 'segue decide start' wrote.")]
LabelledFile = Annotated[
    str,
    typer.Argument(
        metavar="LABELLED",
        help="Labelled samples with this model's answers on them, on which it was not trained: they tell how reliable "
        "it is. A few hundred are enough for ten classes.",
    ),
]
JsonFile = Annotated[str | None, option(SHOWN, "FILE", "Write JSON to a file, or to standard output for -.")]


@dataclass(frozen=True)
class Columns:
    """How the columns are called, and how the confusion is estimated."""

    id: Annotated[str, option(COLUMNS, "COLUMN", "The samples' ids.")] = "id"
    prediction: Annotated[str, option(COLUMNS, "COLUMN", "The model's answers.")] = "prediction"
    label: Annotated[str, option(COLUMNS, "COLUMN", "The truth, in LABELLED.")] = "label"
    labelled_prediction: Annotated[
        str | None, option(COLUMNS, "COLUMN", "The model's answers in LABELLED, where the name differs.")
    ] = None
    confusion: Annotated[
        str,
        option(METHOD, "full|diagonal", "What is estimated: every confusion of two classes, or one rate per class "
               "(for many classes)."),
    ] = "full"  # fmt: skip
    smoothing: Annotated[
        float, option(METHOD, "NUMBER", "Samples' worth of doubt for each class, above 0.", parser=number)
    ] = 1.0


def model_name(path: str) -> str:
    """Return what a model is called whose answers stand in a table: the table's name without its ending."""
    from pathlib import Path

    return Path(path.partition("#")[2] or path).stem
