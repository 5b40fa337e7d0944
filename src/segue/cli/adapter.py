"""``segue adapter``: fit a map between two embedding spaces, put vectors through it, look at it."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli import adapter_apply, adapter_fit
from segue.cli.tables import SHOWN, option
from segue.errors import require

app = typer.Typer(
    help="Fit a map between two embedding spaces, put vectors through it, look at it.", no_args_is_help=True
)
app.command("fit", help=adapter_fit.HELP, epilog=adapter_fit.EXAMPLES)(adapter_fit.fit)
app.command("apply", help=adapter_apply.HELP, epilog=adapter_apply.EXAMPLES)(adapter_apply.apply)


@app.command("show", help="Say what an adapter does and what it was fitted on.")
def show(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder that holds the adapter.")],
    json: Annotated[str | None, option(SHOWN, "FILE", "Write JSON to a file, or to standard output for -.")] = None,
) -> int:
    """Say what an adapter does and what it was fitted on.

    Args:
        folder: The folder that holds it.
        json: Where to write JSON.

    Returns:
        The exit code, 0.
    """
    from segue.cli.adapter_files import loaded
    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.machine import to_json
    from segue.cli.outputs.visible import visible

    require("safetensors", "adapters", "segue adapter")
    check_outputs({"--json": json}, [folder])
    found = loaded(folder)
    if json is not None:
        told = {
            "schema": "segue.adapter/1",
            "kind": type(found).__name__,
            "adapter": repr(found),
            "source_dimension": found.source_dimension,
            "target_dimension": found.target_dimension,
            "pairs": found.pairs,
            "words": found.describe(),
        }
        write(to_json(told), json, "--json")
    if json != "-":
        out().print(visible(found.describe(), most=2000))
    return 0
