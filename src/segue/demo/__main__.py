"""``python -m segue.demo``: the demo as a command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from segue.errors import SegueError, require

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BAD_INPUT = 2
INTERRUPTED = 130


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option(help="Folder for the tables, the policy and the reports.", metavar="FOLDER")
    ] = Path("demo-output"),
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="SEGUE_FASHION_MNIST",
            help="Folder that holds Fashion-MNIST's four files; else they are looked for, and fetched.",
            metavar="FOLDER",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Use scikit-learn's digits: seconds, not minutes.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 2, help="Seed of the training.")] = 0,
) -> None:
    """Train a champion and a better challenger on real pictures, and ask whether the challenger may ship.

    It may not: the gate fails on purpose. The challenger is trained once more, congruently with the champion, and both
    outcomes are shown side by side. The demo exits with 0 when the story has been told, whatever the gate says.
    """
    try:
        console = Console(highlight=False, markup=False, emoji=False)
        console.print("A better model that may not ship\n", style="bold")
        for module in ("torch", "lightning", "sklearn", "platformdirs"):
            require(module, "demo", "the demo")
        from segue.demo.progress import Progress
        from segue.demo.story import Request, tell

        tell(Request(out, data, quick, seed), console, Progress())
    except SegueError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        print("Interrupted. Nothing half-written is left; start the demo again at any time.", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    app(prog_name="python -m segue.demo")
