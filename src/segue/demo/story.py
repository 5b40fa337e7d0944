"""The story from the pictures to the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from segue.demo import digits, sources, telling
from segue.demo.files import staging, sweep
from segue.demo.judging import Judged, judge
from segue.demo.models import train_and_answer
from segue.demo.plan import PLANS
from segue.demo.progress import Progress
from segue.errors import InputError


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        out: The folder for the tables and the report.
        data: A folder that holds Fashion-MNIST, if the user named one.
        quick: Whether the digits will do: seconds in place of minutes.
        seed: Seed of the champion's training; the challenger's is the next.
    """

    out: Path
    data: Path | None = None
    quick: bool = False
    seed: int = 0


def tell(request: Request, console: Console, progress: Progress) -> Judged:
    """Run the whole story.

    Args:
        request: What the user asked for.
        console: Where the story goes.
        progress: Where progress goes.

    Returns:
        What was found.

    Raises:
        InputError: If the named data or the folder for the output can't be used.
    """
    make_sure_of(request.out)
    found = sources.Found(digits.load()) if request.quick else sources.find(request.data, progress)
    pictures = found.pictures
    telling.tell_pictures(found, console)

    plan = PLANS[pictures.name]
    champion = train_and_answer("champion", plan.champion, pictures, plan.validation, request.seed, progress)
    telling.tell_model("Champion", champion, pictures, console)
    challenger = train_and_answer("challenger", plan.challenger, pictures, plan.validation, request.seed + 1, progress)
    telling.tell_model("Challenger", challenger, pictures, console)

    try:
        judged = judge(pictures, champion.answers, challenger.answers, request.out, progress)
    except OSError as error:
        raise InputError(refusal(request.out, error)) from None
    telling.tell_comparison(judged.report, pictures, console)
    telling.tell_decision(judged.decision, console)
    telling.tell_where(judged, request.out, console)
    return judged


def make_sure_of(out: Path) -> None:
    """Make the folder for the output, clear it of what a killed run left, refuse one that can't be written.

    Args:
        out: The folder.

    Raises:
        InputError: If it can't be made or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        sweep(out)
        with staging(out):
            pass
    except OSError as error:
        raise InputError(refusal(out, error)) from None


def refusal(out: Path, error: OSError) -> str:
    """Return what to tell the user when the folder for the output can't be written."""
    return f"--out {str(out)!r} can't be written ({error.strerror or error}); name another folder"
