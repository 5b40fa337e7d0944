"""``segue train``: train a classifier that keeps what was right, or embeddings that work with the old gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from segue.cli.options import sharing
from segue.cli.train_options import TrainOptions
from segue.errors import InputError, require

if TYPE_CHECKING:
    from segue.cli.train_compatible import Compatible
    from segue.cli.train_congruent import Congruent

HELP = """Train a successor: a classifier that keeps what the old one got right, or an embedding model whose queries can
search the old gallery.

UPDATE is a Python file that defines [bold]update[/bold], how a new model is built and trained, with the data and the
old model: a segue.congruent.recipes.Update for a classifier, a segue.compatible.recipes.Update for an embedding model,
or a function that returns one. With --compatible-with it is a function [bold]update(old)[/bold], which is given the old
model's stored embeddings. If there are test samples it defines [bold]test[/bold] in the form of the training data (or a
function, called after the choice), with [bold]old_test[/bold], what the old model made of them, where only that is
left, and for a classifier [bold]ids[/bold] and [bold]slices[/bold] for the flip report."""
EXAMPLES = """[bold]Examples[/bold]

segue train update.py --budget 10m --out run/

segue train update.py --trainings 5 --margin 0.005 --out run/

segue train update.py --method interpolation --method fisher-interpolation --max-nfr 0.01 --out run/

segue train update.py --compatible-with old/ --out run/

segue train update.py --compatible-with old/ --method old-neighbours --measure map --margin 0.02 --out run/

segue train --list

A killed or interrupted run goes on when the same command is typed again.

[bold]Exit codes[/bold]

0 trained, 2 usage or bad input, 130 interrupted"""
NEEDS = ("torch", "lightning.fabric", "safetensors")


@sharing(TrainOptions)
def train(options: TrainOptions, context: typer.Context) -> int:
    """Train, pick, measure, and write everything into a folder.

    Args:
        options: What was typed.
        context: The words that were typed, for the pages.

    Returns:
        The exit code, 0.

    Raises:
        InputError: If anything is wrong with the options, the file or the folder.
    """
    from segue.cli.console import check_outputs, write
    from segue.cli.console import out as console
    from segue.cli.outputs.machine import to_json

    for module in NEEDS:
        require(module, "train", "segue train")
    if options.list_methods:
        from segue.cli.method_words import told_compatible_methods, told_methods

        console().print(told_methods() if options.compatible_with is None else told_compatible_methods())
        return 0
    if options.update is None:
        raise InputError("UPDATE is missing; name a Python file that defines the update; see: segue train --help")
    if options.out is None:
        raise InputError("--out is missing; name a folder for the model and the pages, such as --out run/")

    from segue.cli.old_folder import read_old_folder
    from segue.cli.theirs import told_as_theirs
    from segue.cli.train_folder import output_folder, told_when_interrupted
    from segue.cli.update_file import read_update_file, try_out

    asked = _kind(options).asked(options)
    folder = output_folder(options.out)
    check_outputs({"--json": options.json}, [options.update, *(str(folder / name) for name in asked.files)])
    old = None if options.compatible_with is None else read_old_folder(options.compatible_with)
    file = read_update_file(options.update, old)
    asked = _kind_of(file.update).asked(options)
    with_test = file.check_test(options.test, asked.of_test)
    try_out(file)
    asked.begin(file, folder, options.out)
    with told_when_interrupted(options.out), told_as_theirs(file.path, "the training"):  # models are built to the end
        found, words = asked.train(file, folder, with_test, context.obj)
    written = [name for name in asked.files if (folder / name).exists()]
    if options.json is not None:
        write(to_json({**found, "folder": options.out, "files": written}), options.json, "--json")
    if options.json != "-":
        console().print(f"{words}\n\nIn {options.out}: {', '.join(written)}")
        if asked.more(found, folder):
            console().print(asked.more(found, folder))
    return 0


def _kind(options: TrainOptions) -> type[Compatible | Congruent]:
    """Return the kind of training that the options speak of, before the file is run; in doubt a congruent one."""
    from segue.cli.train_compatible import Compatible
    from segue.cli.train_congruent import Congruent
    from segue.compatible.recipes import METHODS as COMPATIBLE
    from segue.congruent.recipes import METHODS as CONGRUENT

    options.refuse_methods([*CONGRUENT, *COMPATIBLE])
    theirs = set(options.methods) & (set(COMPATIBLE) - set(CONGRUENT))
    return Compatible if options.compatible_with is not None or options.measure is not None or theirs else Congruent


def _kind_of(update: object) -> type[Compatible | Congruent]:
    from segue.cli.train_compatible import Compatible
    from segue.cli.train_congruent import Congruent
    from segue.compatible.recipes import Update

    return Compatible if isinstance(update, Update) else Congruent
