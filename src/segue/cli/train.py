"""``segue train``: train a successor that keeps what the old model got right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.numbers import number, whole
from segue.cli.tables import SHOWN, option
from segue.errors import InputError, require

if TYPE_CHECKING:
    from segue.cli.update_file import UpdateFile
    from segue.congruent.recipes import Outcome, Rule

HELP = """Train a classifier that keeps what the old one got right.

UPDATE is a Python file that defines [bold]update[/bold], a segue.congruent.recipes.Update (the old model, how a new
one is built and trained, the data) or a function that returns one; and, if there are test samples, [bold]test[/bold] in
the form of the training data (or a function, called after the choice), with [bold]ids[/bold] and [bold]slices[/bold]
for the flip report."""
EXAMPLES = """[bold]Examples[/bold]

segue train update.py --budget 10m --out run/

segue train update.py --trainings 5 --margin 0.005 --out run/

segue train update.py --method interpolation --method fisher-interpolation --max-nfr 0.01 --out run/

segue train --list

A killed or interrupted run goes on when the same command is typed again.

[bold]Exit codes[/bold]

0 trained, 2 usage or bad input, 130 interrupted"""
HOW = "How"
CHOICE = "What is picked"
FILES = "model.safetensors", "outcome.json", "explanation.md", "history.json", "front.html", "flips.html"
NEEDS = ("torch", "lightning.fabric", "safetensors")


def train(
    context: typer.Context,
    update: Annotated[
        str | None, typer.Argument(metavar="UPDATE", help="A Python file that defines the update.")
    ] = None,
    method: Annotated[
        list[str] | None,
        option(HOW, "NAME", "What is tried: auto (the default), or a method of --list; may be repeated."),
    ] = None,
    budget: Annotated[
        str | None, option(HOW, "TIME", "Training time that auto may take: 90s, 10m, 2h. Without, it tries all it has.")
    ] = None,
    trainings: Annotated[
        float | None, option(HOW, "NUMBER", "The same budget in plain trainings, such as 5.", parser=number)
    ] = None,
    margin: Annotated[
        float | None,
        option(CHOICE, "SHARE", "The fewest negative flips at an accuracy not below the unconstrained model's by more "
               "than this; 0.0025, a quarter of a point, by default.", parser=number),
    ] = None,
    max_nfr: Annotated[
        float | None,
        option(CHOICE, "SHARE", "In place of --margin: the highest accuracy with at most this share of negative flips.",
               parser=number),
    ] = None,
    passes: Annotated[
        int, option(CHOICE, "NUMBER", "Models that may run at prediction time.", parser=whole)
    ] = 1,
    out: Annotated[
        str | None, option(SHOWN, "FOLDER", "Where model, runs and pages go: a new folder, or this update's own.")
    ] = None,
    test: Annotated[
        bool | None,
        typer.Option("--test/--no-test", help="Measure the pick on the file's test samples, once, after it was picked; "
                     "done if there are any.", rich_help_panel=SHOWN, show_default=False),
    ] = None,
    json: Annotated[str | None, option(SHOWN, "FILE", "Write JSON to a file, or to standard output for -.")] = None,
    list_methods: Annotated[
        bool, typer.Option("--list", help="Show all methods, what they do and where they come from.",
                           rich_help_panel=HOW)
    ] = False,
) -> int:  # fmt: skip
    """Train, pick, measure, and write everything into a folder.

    Args:
        context: What was typed, for the report.
        update: The user's file.
        method: What is tried.
        budget: Training time that ``auto`` may take.
        trainings: The same in plain trainings.
        margin: Accuracy that may be given up.
        max_nfr: Negative flips that are allowed, in place of it.
        passes: Models that may run at prediction time.
        out: The folder.
        test: Whether test samples are measured; ``None`` where there are any.
        json: Where JSON goes.
        list_methods: Whether only the methods are shown.

    Returns:
        The exit code, 0.

    Raises:
        InputError: If anything is wrong with the options, the file or the folder.
        KeyboardInterrupt: If Ctrl-C was pressed.
    """
    from segue.cli.console import check_outputs, write
    from segue.cli.console import out as console
    from segue.cli.durations import seconds_of
    from segue.cli.outputs.machine import to_json

    for module in NEEDS:
        require(module, "train", "segue train")
    if list_methods:
        from segue.cli.method_words import told_methods

        console().print(told_methods())
        return 0
    if update is None:
        raise InputError("UPDATE is missing; name a Python file that defines the update; see: segue train --help")
    if out is None:
        raise InputError("--out is missing; name a folder for the model and the pages, such as --out run/")
    methods = _methods(method or ["auto"])
    rule = _rule(margin, max_nfr, passes)
    seconds = None if budget is None else seconds_of(budget, "--budget")
    _check_budget(methods, {"--budget": seconds, "--trainings": trainings})
    folder = _folder(out)
    check_outputs({"--json": json}, [update, *(str(folder / name) for name in FILES)])

    from segue.cli.update_file import read_update_file, told_as_theirs, try_out

    file = read_update_file(update)
    with_test = file.check_test(test)
    try_out(file)
    _claim(file, folder, out)
    _say(_told_beginning(methods, seconds, trainings, out))
    if (folder / "outcome.json").exists():
        _say(f"The pick of an earlier call in {out} will be replaced; its trainings are kept and used again.")
    try:
        with told_as_theirs(file.path, "the training"):  # all of it: models are built until the last page is written
            found = _trained(file, folder, methods, rule, seconds, trainings, with_test, context.obj)
    except KeyboardInterrupt:
        _say(f"What is trained so far is kept in {out}; the same command goes on from there.")
        raise
    written = [name for name in FILES if (folder / name).exists()]
    if json is not None:
        write(to_json({**found.to_dict(), "folder": out, "files": written}), json, "--json")
    if json != "-":
        console().print(f"{found.explain()}\n\nIn {out}: {', '.join(written)}")
        if "model.safetensors" not in written:
            runs = ", ".join(found.pick.runs)
            console().print(
                f"The pick is {found.pick.passes} models; the trained ones are in {folder / 'runs'}: {runs}"
            )
    return 0


def _trained(
    file: UpdateFile,
    folder: Path,
    methods: list[str],
    rule: Rule,
    seconds: float | None,
    trainings: float | None,
    with_test: bool,
    command: str,
) -> Outcome:
    from segue.cli.update_file import told_as_theirs
    from segue.congruent.recipes import StoredLogits, measure
    from segue.congruent.recipes import train as trained
    from segue.congruent.recipes.training import measured_on
    from segue.training.data import as_data

    update = file.update
    outcome = trained(update, methods, rule=rule, seconds=seconds, trainings=trainings, folder=folder, after_step=_say)
    outcome.save(folder)  # before test samples are asked for: what can go wrong there costs no training
    _save_history(outcome, folder)
    if with_test:
        samples, known = file.test()
        with told_as_theirs(file.path, "measuring the test samples"):
            outcome = measure(outcome, update, samples, **known)
        outcome.save(folder)
        _write_pages(outcome, outcome.test, "test samples", folder, command)
    else:
        old = update.old.validation if isinstance(update.old, StoredLogits) else None
        chosen = measured_on(outcome, update, as_data(update.validation), old)
        _write_pages(outcome, chosen.test, "the validation samples it was chosen on", folder, command)
    return outcome


def _write_pages(outcome: Outcome, report: Any, samples: str, folder: Path, command: str) -> None:
    from segue.report import write_report
    from segue.report.front import write_front

    write_front(outcome.to_dict(), folder / "front.html", command=command)
    write_report(report, folder / "flips.html", title=f"{outcome.pick.label}, on {samples}", command=command)


def _save_history(outcome: Outcome, folder: Path) -> None:
    import json

    from segue.cli.outputs.machine import to_json

    runs = {key: folder / "runs" / key / "history.json" for key in outcome.pick.runs}
    told = {key: json.loads(path.read_text(encoding="utf-8")) for key, path in runs.items()}
    (folder / "history.json").write_text(to_json(told), encoding="utf-8")


def _methods(names: list[str]) -> list[str]:
    import difflib

    from segue.congruent.recipes import METHODS

    for name in names:
        if name != "auto" and name not in METHODS:
            close = difflib.get_close_matches(name, ["auto", *METHODS], n=1)
            hint = f"did you mean {close[0]!r}?" if close else "see: segue train --list"
            raise InputError(f"--method {name!r} is unknown; {hint}")
    if "auto" in names and len(names) > 1:
        raise InputError("--method auto chooses by itself; pass it alone, or leave it out")
    return list(dict.fromkeys(names))


def _rule(margin: float | None, max_nfr: float | None, passes: int) -> Rule:
    from segue.congruent.recipes import FewestFlips, MostAccurate

    if margin is not None and max_nfr is not None:
        raise InputError("--margin and --max-nfr are two rules; leave out one of them")
    try:
        if max_nfr is not None:
            return MostAccurate(max_nfr, passes)
        return FewestFlips(passes=passes) if margin is None else FewestFlips(margin, passes)
    except InputError as error:
        raise InputError(f"--{str(error).replace('max_negative_flip_rate', 'max-nfr')}") from error


def _check_budget(methods: list[str], budgets: dict[str, float | None]) -> None:
    for name, value in budgets.items():
        if value is not None and methods != ["auto"]:
            raise InputError(
                f"{name} is for --method auto; a named method runs all its strengths: leave out one of them"
            )
        if value is not None and value <= 0:
            raise InputError(f"{name} is {value:g}; pass a positive budget")


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: {name!r} is a file; name a folder")
    try:
        held = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise InputError(f"--out: {name!r} can't be read ({error.strerror}); name another folder") from error
    if held - {"update.part"} and "update.json" not in held:
        raise InputError(
            f"--out: {name!r} holds other files than those of segue train; name a new folder, so that nothing is lost"
        )
    return folder


def _claim(file: UpdateFile, folder: Path, out: str) -> None:
    from segue.cli.update_file import told_as_theirs
    from segue.congruent.recipes import Workshop

    with told_as_theirs(file.path, "the update"):
        try:
            Workshop(file.update, folder, progress=False)
        except InputError as error:
            raise InputError(
                f"--out: {error}" if "holds the runs of another update" in str(error) else error
            ) from error
    copy = folder / "update.py"
    if not copy.exists():
        copy.write_text(file.text, encoding="utf-8")
    elif copy.read_text(encoding="utf-8") != file.text:
        _say(
            f"Note: {file.path.name} has changed since the first run in {out}; trainings that are over are not "
            f"repeated. To train all anew, name another --out."
        )


def _told_beginning(methods: list[str], seconds: float | None, trainings: float | None, out: str) -> str:
    from segue.cli.durations import told_seconds

    limit = [
        *([f"{told_seconds(seconds)} of training"] if seconds is not None else []),
        *([f"{trainings:g} plain trainings"] if trainings is not None else []),
    ]
    budget = f", within {' and '.join(limit)}" if limit else ""
    return f"Training with {', '.join(methods)}{budget}; runs are kept in {out}, and Ctrl-C loses nothing."


def _say(words: object) -> None:
    from segue.cli.console import progress

    progress().print(str(words), soft_wrap=True)
