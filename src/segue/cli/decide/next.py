"""``segue decide next``: the samples that the next model should answer."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.decide.arguments import METHOD, JsonFile, StateFile
from segue.cli.decide.writing import check_table, shown, write_table
from segue.cli.numbers import number, whole
from segue.cli.tables import SHOWN, option
from segue.errors import InputError

EXAMPLE = "[bold]Example[/bold]\n\nsegue decide next predictions.npz --budget 10% --to ask-v2.csv"


def choose(
    state: StateFile,
    budget: Annotated[
        str, option(METHOD, "NUMBER|SHARE%", "How many samples the next model can answer: 5000, or 10%.")
    ],
    to: Annotated[
        str | None, option(SHOWN, "FILE", "Write the ids to a CSV or Parquet file, in place of standard output.")
    ] = None,
    seed: Annotated[int, option(METHOD, "NUMBER", "Decides among equally uncertain samples.", parser=whole)] = 0,
    json: JsonFile = None,
) -> None:
    """Say which samples the next model should answer: those whose label is least certain."""
    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.machine import to_json
    from segue.congruent.decisions import PredictionStore

    check_table(to)
    check_outputs({"--to": to, "--json": json}, [state])
    store = PredictionStore.load(state)
    ids = store.select(_budget(budget, len(store)), seed=seed)
    if to is not None:
        write_table({"id": ids}, to)
    if json is not None:
        write(to_json({"state": state, "samples": len(store), "budget": len(ids), "ids": ids.tolist()}), json, "--json")
    if to is not None and json != "-":
        out().print(f"The {len(ids):,} most uncertain of {len(store):,} samples are in {to}")
    elif json is None:
        out().print("\n".join(shown(str(one)) for one in ids.tolist()))


def _budget(text: str, samples: int) -> int:
    told = text.strip()
    try:
        wanted = number(told[:-1]) / 100 * samples if told.endswith("%") else whole(told)
    except typer.BadParameter:
        wanted = 0
    if wanted <= 0 or (told.endswith("%") and wanted > samples):
        raise InputError(f"--budget is {text!r}; pass a number of samples such as 5000, or a share such as 10%")
    return max(1, round(wanted))
