"""The story from the pictures to the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from segue.demo import digits, side_by_side, sources, telling
from segue.demo.bargain import Bargain, strike
from segue.demo.files import staging, sweep
from segue.demo.judging import CHALLENGER, CONGRUENT, Judged, judge, lay_out
from segue.demo.models import train_and_answer, train_congruently_and_answer
from segue.demo.pictures import PictureSet
from segue.demo.plan import PLANS
from segue.demo.progress import Progress
from segue.demo.training import Answers
from segue.errors import InputError


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        out: The folder for the tables and the report.
        data: A folder that holds Fashion-MNIST, if the user named one.
        quick: Whether the digits will do: seconds in place of minutes.
        seed: Seed of the champion's training; that of both challengers is the next.
    """

    out: Path
    data: Path | None = None
    quick: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """What was found.

    Attributes:
        plain: The challenger trained on the labels alone.
        congruent: The challenger trained congruently with the champion.
        bargain: What the second bought and cost against the first.
    """

    plain: Judged
    congruent: Judged
    bargain: Bargain


def tell(request: Request, console: Console, progress: Progress) -> Outcome:
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

    plan, seed = PLANS[pictures.name], request.seed
    champion = train_and_answer("champion", plan.champion, pictures, plan.validation, seed, progress)
    telling.tell_model("Champion", champion, pictures, console)
    plain = train_and_answer("challenger", plan.challenger, pictures, plan.validation, seed + 1, progress)
    telling.tell_model("Challenger", plain, pictures, console)
    congruent = train_congruently_and_answer(
        "challenger congruently",
        plan.challenger,
        champion.model,
        plan.congruence,
        pictures,
        plan.validation,
        seed + 1,
        progress,
    )
    telling.tell_model("Congruent", congruent, pictures, console)

    try:
        outcome = weigh(pictures, champion.answers, plain.answers, congruent.answers, request.out, progress)
    except OSError as error:
        raise InputError(refusal(request.out, error)) from None
    for judged in (outcome.plain, outcome.congruent):
        telling.tell_comparison(judged.report, pictures, console)
        telling.tell_decision(judged.decision, console)
    telling.tell_bargain(outcome.bargain, console)
    telling.tell_where((outcome.plain, outcome.congruent), request.out, console)
    return outcome


def weigh(
    pictures: PictureSet, champion: Answers, plain: Answers, congruent: Answers, out: Path, progress: Progress
) -> Outcome:
    """Judge both challengers, each by itself and one against the other, and write all files.

    Args:
        pictures: The pictures; the test part was answered.
        champion: The old model's answers.
        plain: The answers of the challenger trained on the labels alone.
        congruent: Those of the challenger trained congruently.
        out: The folder for all files.
        progress: Where to show how far it is.

    Returns:
        What was found.
    """
    with progress.step("comparing the challengers with the champion", 4, "steps") as advance:
        lay_out(pictures, champion, {CHALLENGER: plain, CONGRUENT: congruent}, out)
        advance(1)
        judged = []
        for contender in (CHALLENGER, CONGRUENT):
            judged.append(judge(pictures, contender, out))
            advance(1)
        bargain = strike(pictures.test.labels, champion.classes, plain.classes, congruent.classes)
        side_by_side.write((judged[0], judged[1]), bargain, pictures.noun, out)
        advance(1)
    return Outcome(judged[0], judged[1], bargain)


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
