"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from segue import __version__
from segue.cli import adapter, advise, compare, cross_test, decide, gate, policy, power, retrieval_flips, train

EPILOG = "Exit codes: 0 pass, 1 fail, 2 usage or bad input, 3 undecided (not enough data)."

app = typer.Typer(
    help="Replace a trained model by its successor without drama: which answers does the new model break, where, and "
    "may it ship?",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)
app.command("compare", help=compare.HELP, epilog=compare.EXAMPLES)(compare.compare)
app.command("gate", help=gate.HELP, epilog=gate.EXAMPLES)(gate.gate)
app.command("power", epilog=power.EXAMPLES)(power.power)
app.command("train", help=train.HELP, epilog=train.EXAMPLES)(train.train)
app.command("cross-test", help=cross_test.HELP, epilog=cross_test.EXAMPLES)(cross_test.cross_test)
app.command("retrieval-flips", help=retrieval_flips.HELP, epilog=retrieval_flips.EXAMPLES)(
    retrieval_flips.retrieval_flips
)
app.command("advise", help=advise.HELP, epilog=advise.EXAMPLES)(advise.advise)
app.add_typer(adapter.app, name="adapter")
app.add_typer(decide.app, name="decide")
app.add_typer(policy.app, name="policy")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"segue {__version__}")
        raise typer.Exit


@app.callback()
def segue(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Replace a trained model by its successor without drama."""
