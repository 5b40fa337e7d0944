"""The subcommands, put together."""

from __future__ import annotations

import typer

from segue.cli.decide import next as asking
from segue.cli.decide import start, update

HELP = "Keep stored predictions up to date with newer models, without training any: change a label only when it pays."
EXAMPLES = """[bold]Examples[/bold]

segue decide start stored.parquet labelled-v1.csv --state predictions.npz

segue decide next predictions.npz --budget 10% --to ask-v2.csv

segue decide update predictions.npz answers-v2.csv labelled-v2.csv --to labels.parquet"""

app = typer.Typer(help=HELP, epilog=EXAMPLES, no_args_is_help=True, rich_markup_mode="rich")
app.command("start", help=start.HELP, epilog=start.EXAMPLE)(start.start)
app.command("next", epilog=asking.EXAMPLE)(asking.choose)
app.command("update", help=update.HELP, epilog=update.EXAMPLES)(update.update)
