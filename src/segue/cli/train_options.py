"""What ``segue train`` is asked: the update, what is tried, how the pick is made, and where results go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

import typer

from segue.cli.numbers import number, whole
from segue.cli.tables import SHOWN, option
from segue.errors import InputError

HOW = "How"
CHOICE = "What is picked"
CONGRUENT = "Classifiers that keep what was right: congruent training"
COMPATIBLE = "Embeddings that work with the old gallery: compatible training"


@dataclass(frozen=True)
class TrainOptions:
    """The arguments and options of a training, as they were typed."""

    update: Annotated[str | None, typer.Argument(metavar="UPDATE", help="A Python file that defines the update.")] = (
        None
    )
    method: Annotated[
        list[str] | None,
        option(HOW, "NAME", "What is tried: auto (the default), or a method of --list; may be repeated."),
    ] = None
    list_methods: Annotated[
        bool,
        typer.Option("--list", help="Show all methods, what they do and where they come from.", rich_help_panel=HOW),
    ] = False
    margin: Annotated[
        float | None,
        option(
            CHOICE,
            "SHARE",
            "What may be given up against the model trained without a constraint: accuracy "
            "(0.0025, a quarter of a point, by default) for the fewest negative flips, or quality on its own "
            "gallery (0.01 by default) for the best on the old one.",
            parser=number,
        ),
    ] = None
    budget: Annotated[
        str | None,
        option(CONGRUENT, "TIME", "Training time that auto may take: 90s, 10m, 2h. Without, it tries all it has."),
    ] = None
    trainings: Annotated[
        float | None, option(CONGRUENT, "NUMBER", "The same budget in plain trainings, such as 5.", parser=number)
    ] = None
    max_nfr: Annotated[
        float | None,
        option(
            CONGRUENT,
            "SHARE",
            "In place of --margin: the highest accuracy with at most this share of negative flips.",
            parser=number,
        ),
    ] = None
    passes: Annotated[
        int | None, option(CONGRUENT, "NUMBER", "Models that may run at prediction time; 1 by default.", parser=whole)
    ] = None
    compatible_with: Annotated[
        str | None,
        option(
            COMPATIBLE,
            "OLD",
            "A folder with what the old model left: train.npy and validation.npy, its embeddings "
            "of these samples, row by row; known.npy, which training samples have one; test.npy; head.npz or "
            "head.safetensors, with weights, bias, classes.",
        ),
    ] = None
    measure: Annotated[
        str | None, option(COMPATIBLE, "NAME", "What quality is: cmc@1 (the default), recall@K, map, mrr, ndcg@K...")
    ] = None
    out: Annotated[
        str | None, option(SHOWN, "FOLDER", "Where model, runs and pages go: a new folder, or this update's own.")
    ] = None
    test: Annotated[
        bool | None,
        typer.Option(
            "--test/--no-test",
            help="Measure the pick on the file's test samples, once, after it was picked; done if there are any.",
            rich_help_panel=SHOWN,
            show_default=False,
        ),
    ] = None
    json: Annotated[str | None, option(SHOWN, "FILE", "Write JSON to a file, or to standard output for -.")] = None

    @property
    def methods(self) -> list[str]:
        """The methods' names as they were typed, each once."""
        return list(dict.fromkeys(self.method or ["auto"]))

    def refuse_methods(self, known: Collection[str], kind: str = "", others: Collection[str] = ()) -> None:
        """Refuse methods that are not known, and ``auto`` beside others.

        Args:
            known: The names of all that are.
            kind: The kind of training that they are for.
            others: The names of those for the other kind.

        Raises:
            InputError: If a name is none of them, or ``auto`` is not alone.
        """
        import difflib

        for name in self.methods:
            if name in others and name not in known:
                raise InputError(
                    f"--method {name!r} is none of {kind} training, which this update asks for; see: segue train --list"
                )
            if name != "auto" and name not in known:
                close = difflib.get_close_matches(name, ["auto", *known], n=1)
                hint = f"did you mean {close[0]!r}?" if close else "see: segue train --list"
                raise InputError(f"--method {name!r} is unknown; {hint}")
        if "auto" in self.methods and len(self.methods) > 1:
            raise InputError("--method auto chooses by itself; pass it alone, or leave it out")
