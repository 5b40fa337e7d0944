"""``segue decide start``: begin with the predictions that are stored today."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.decide.arguments import Columns, JsonFile, LabelledFile, model_name
from segue.cli.decide.confusion import confusion_of
from segue.cli.decide.reading import read_labelled, read_table, refuse_other_type
from segue.cli.decide.writing import shown
from segue.cli.options import sharing
from segue.cli.tables import SHOWN, option
from segue.errors import InputError

HELP = "Begin with the predictions that are stored today, and write the state."
EXAMPLE = "[bold]Example[/bold]\n\nsegue decide start stored.parquet labelled-v1.csv --state predictions.npz"


@sharing(Columns)
def start(
    columns: Columns,
    stored: Annotated[
        str, typer.Argument(metavar="STORED", help="Today's predictions: ids and answers, Parquet, CSV and others.")
    ],
    labelled: LabelledFile,
    state: Annotated[str, option(SHOWN, "FILE", "Where the state goes: a new file NAME.npz.")],
    name: Annotated[
        str | None, option(SHOWN, "NAME", "What the model is called; the name of STORED by default.")
    ] = None,
    json: JsonFile = None,
) -> int:
    """Begin with the predictions that are stored today, and write the state.

    Args:
        columns: How the columns are called.
        stored: The stored predictions.
        labelled: Labelled samples with the same model's answers.
        state: Where the state goes.
        name: What the model is called.
        json: Where JSON goes.

    Returns:
        The exit code, 0.

    Raises:
        InputError: If anything is wrong with the tables or the options.
    """
    import os

    import numpy as np

    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.machine import to_json
    from segue.congruent.decisions import PredictionStore

    if not state.lower().endswith(".npz"):
        raise InputError(f"--state is {state!r}; name a file that ends in .npz")
    if os.path.lexists(state):
        raise InputError(
            f"--state: {state!r} exists; go on with 'segue decide update {state} ...', or name another file"
        )
    check_outputs({"--state": state, "--json": json}, [stored, labelled])
    answers = read_table(stored, "STORED", {"id": columns.id, "prediction": columns.prediction})
    source = read_labelled(labelled, columns)
    refuse_other_type(answers, "prediction", source, "label")
    classes = np.unique(np.concatenate([answers["prediction"], source["label"], source["prediction"]]))
    store = PredictionStore.create(
        answers["id"], answers["prediction"], confusion_of(source, classes, columns), name=name or model_name(stored)
    )
    store.save(state)
    if json is not None:
        found = {"state": state, "samples": len(store), "classes": classes.tolist(), "generation": store.generation}
        write(to_json(found), json, "--json")
    if json != "-":
        out().print(f"{shown(str(store))}\nThe state is in {state}")
    return 0
