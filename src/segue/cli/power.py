"""``segue power``: how many samples a budget takes, or what so many samples can see."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from segue.cli.numbers import number, whole
from segue.errors import InputError

EXAMPLES = """[bold]Examples[/bold]

segue power --budget 0.01

segue power --budget 0.01 --nfr 0.004

segue power --samples 5000

segue power --samples 5000 --budget 0.01"""
SHARES = (0.0, 0.25, 0.5, 0.75)


def power(
    budget: Annotated[
        float | None,
        typer.Option(
            parser=number, metavar="RATE", help="The largest negative flip rate that is tolerated, such as 0.01."
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(parser=whole, metavar="NUMBER", help="How many samples there are.")
    ] = None,
    nfr: Annotated[
        float | None,
        typer.Option(
            parser=number, metavar="RATE", help="The update's true negative flip rate, if you have an idea of it."
        ),
    ] = None,
    chance: Annotated[
        float, typer.Option("--power", parser=number, metavar="SHARE", help="Probability of the right decision.")
    ] = 0.8,
    confidence: Annotated[
        float, typer.Option(parser=number, metavar="SHARE", help="Coverage of the intervals.")
    ] = 0.95,
    json: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write JSON to a file, or - for standard output.")
    ] = None,
) -> None:
    """Say how many samples a budget takes, or what so many samples can see."""
    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.machine import to_json
    from segue.flips.power import samples_to_pass, smallest_visible_nfr

    check_outputs({"--json": json}, [])
    given = {"power": chance, "confidence": confidence}
    found: dict[str, Any] = {"budget": budget, **given}
    at = f"at {100 * confidence:g}% confidence, with a chance of {100 * chance:g}%"
    _refuse_unclear(budget, samples, nfr)
    if samples is not None:
        seen = smallest_visible_nfr(samples, budget=budget or 0.0, **given)
        found |= {"samples": samples, "smallest_visible_nfr": seen}
        beyond = f"beyond the budget of {100 * budget:g}%" if budget else "above 0"
        told = [
            f"{samples:,} samples show a negative flip rate to be {beyond} when it is {100 * seen:.4g}% or more, {at}."
        ]
    else:
        limit = budget or 0.0
        rates = [share * limit for share in SHARES] if nfr is None else [nfr]
        needed = [(rate, samples_to_pass(limit, nfr=rate, **given)) for rate in rates]
        found |= {"samples_to_pass": [{"nfr": rate, "samples": size} for rate, size in needed]}
        told = [f"To pass a budget of {100 * limit:g}% {at}, an update needs"]
        told += [f"  {size:>12,} samples if it truly breaks {100 * rate:.4g}%" for rate, size in needed]
    if json is not None:
        write(to_json(found), json, "--json")
    if json != "-":
        out().print("\n".join(told))


def _refuse_unclear(budget: float | None, samples: int | None, nfr: float | None) -> None:
    if budget is None and samples is None:
        raise InputError("segue power needs --budget or --samples; for instance: segue power --budget 0.01")
    if samples is not None and nfr is not None:
        raise InputError("--nfr goes with --budget alone; leave out --samples or --nfr")
