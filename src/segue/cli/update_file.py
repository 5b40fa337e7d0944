"""The Python file in which a user says what is to be updated: read, checked and tried out."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from segue.cli.theirs import told_as_theirs
from segue.errors import InputError

if TYPE_CHECKING:
    from segue.cli.old_folder import OldFolder
    from segue.compatible.recipes import Update as CompatibleUpdate
    from segue.congruent.recipes import Update as CongruentUpdate

    Update = CompatibleUpdate | CongruentUpdate


@dataclass(frozen=True)
class OfTest:
    """What a file may define of test samples, beside ``test`` itself.

    Attributes:
        names: The names.
        kept: What is left of an old model that can't be run any more.
        shape: The shape of that.
    """

    names: tuple[str, ...]
    kept: str
    shape: str


@dataclass(frozen=True)
class UpdateFile:
    """What the file defines.

    Attributes:
        path: The file, absolute.
        text: What is written in it.
        module: It, run.
        update: The update.
        old: The folder with what the old model left, if one was named.
    """

    path: Path
    text: str
    module: ModuleType
    update: Update
    old: OldFolder | None = None

    @property
    def has_test(self) -> bool:
        """Whether it defines test samples; they are not looked at."""
        return self._defined("test") is not None

    def test(self, names: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
        """Return the test samples and what is known of them, which must not happen before the pick.

        Args:
            names: What else a file may define of them.

        Returns:
            The samples, and what is defined of the names; ``old_test`` is called ``old``.
        """
        with told_as_theirs(self.path):
            found = {name.removesuffix("_test"): _made(self._defined(name)) for name in names}
            samples = _made(self._defined("test"))
        if self.old is not None and self.old.has_test:
            found["old"] = self.old.test()
        return samples, {name: one for name, one in found.items() if one is not None}

    def check_test(self, wanted: bool | None, of_test: OfTest) -> bool:
        """Tell whether test samples will be measured, without looking at them.

        Args:
            wanted: What the user typed; ``None`` for nothing.
            of_test: What a file may define of them.

        Returns:
            Whether they will.

        Raises:
            InputError: If they are wanted and missing, are the samples that the choice is made on, or lack what is left
                of the old model.
        """
        from torch import nn

        name = self.path.name
        if not self.has_test:
            if wanted:
                raise InputError(f"--test: {name} defines no test; define test = (inputs, labels)")
            stray = next((one for one in of_test.names if self._defined(one) is not None), None)
            if stray is not None:
                raise InputError(
                    f"{name} defines {stray} but no test; {stray} belongs to test samples: define test, or remove "
                    f"{stray}"
                )
            return False
        for part in ("train", "validation"):
            if self._defined("test") is getattr(self.update, part):
                raise InputError(f"{name}: test and {part} are the same data; hold some samples out")
        if wanted is False:
            return False
        defined, kept = self._defined("old_test") is not None, self.old is not None and self.old.has_test
        if self.old is not None and defined and kept:
            raise InputError(f"{name} defines old_test and {self.old.name} holds test.npy; keep one of them")
        if not isinstance(self.update.old, nn.Module) and not defined and not kept:
            beside = "" if self.old is None else f", save them as test.npy in {self.old.name}"
            raise InputError(
                f"{name} knows the old model by stored {of_test.kept} alone; define old_test, its {of_test.kept} on "
                f"the test samples {of_test.shape}{beside}, or leave them out with --no-test"
            )
        return True

    def _defined(self, name: str) -> Any:
        return getattr(self.module, name, None)


def read_update_file(name: str, old: OldFolder | None = None) -> UpdateFile:
    """Run the file and take the update from it.

    Args:
        name: Its path.
        old: What the old model left, where a folder was named.

    Returns:
        What it defines.

    Raises:
        InputError: If it can't be read or run, or defines no update; a traceback of what failed in it goes to stderr.
    """
    from segue.compatible.recipes import Update as CompatibleUpdate
    from segue.congruent.recipes import Update as CongruentUpdate

    path = Path(name).expanduser().absolute()
    if path.is_dir():
        raise InputError(f"UPDATE: {name!r} is a folder; name a Python file")
    if not path.is_file():
        raise InputError(f"UPDATE: there is no file {name!r}; check the path")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"UPDATE: {name!r} is not UTF-8 text; name a Python file") from error
    module = ModuleType(path.stem if path.stem not in sys.modules else f"{path.stem}_for_segue_train")
    module.__file__ = str(path)
    sys.path.insert(0, str(path.parent))  # what lies beside the file can be imported in it, as in a script
    sys.modules[module.__name__] = module  # so that processes that load samples find its classes
    with told_as_theirs(path, every=True):
        exec(compile(text, str(path), "exec"), vars(module))
        update = _update_of(getattr(module, "update", None), path, old)
    room, form = ("congruent", "update()") if old is None else ("compatible", "update(old)")
    if update is None:
        define = f"update = Update(...), or a function {form}" if old is None else f"a function {form}"
        raise InputError(
            f"{path.name} defines no update; define {define} that returns one (from segue.{room}.recipes import Update)"
        )
    if not isinstance(update, CompatibleUpdate | CongruentUpdate):
        raise InputError(
            f"update in {path.name} is a {type(update).__name__}; make it an Update (from segue.{room}.recipes import "
            f"Update), or a function that returns one"
        )
    if old is not None:
        update = _with_old_head(update, path, old)
    return UpdateFile(path, text, module, update, old)


def try_out(file: UpdateFile) -> None:
    """Build a model and an optimiser and ask the models about two samples, so that mistakes show in the first second.

    Args:
        file: The user's file.

    Raises:
        InputError: If anything of it fails or is not what it should be; the traceback goes to stderr.
    """
    import torch
    from torch import nn
    from torch.optim import Optimizer

    from segue.cli.searching import in_their_words
    from segue.training import outputs_of

    update, name = file.update, file.path.name
    named = nullcontext() if file.old is None else in_their_words(file.old.told)
    with named, told_as_theirs(file.path, "the data", every=True):
        train, _ = update.data()
    with told_as_theirs(file.path, "build()", every=True):
        model = update.build()
    if not isinstance(model, nn.Module):
        raise InputError(f"build in {name} returned a {type(model).__name__}; return a torch.nn.Module")
    for option in ("optimizer", "fine_tuning"):
        make = getattr(update, option, None)
        if make is None:
            continue
        with told_as_theirs(file.path, f"{option}()", every=True):
            made = make(model.parameters())
        if not isinstance(made, Optimizer):
            raise InputError(f"{option} in {name} returned a {type(made).__name__}; return a torch.optim.Optimizer")
        if update.schedule is not None:
            with told_as_theirs(file.path, "schedule()", every=True):
                update.schedule(made, 100)
    with told_as_theirs(file.path, "the training data", every=True):
        first = next(iter(train.plain([torch.arange(min(2, len(train)))])))
    asked = {"the model that build() returns": model}
    if isinstance(update.old, nn.Module):
        asked["the old model"] = update.old
    for told, one in asked.items():
        with told_as_theirs(file.path, f"{told}, asked about two training samples,", every=True):
            outputs_of(one, (first.inputs, first.labels))


def _is_function(value: Any) -> bool:
    # A tensor, a pair or a dataset (which may be callable) is the thing itself; a function makes it.
    return inspect.isroutine(value) or isinstance(value, partial)


def _made(value: Any) -> Any:
    return value() if _is_function(value) else value


def _update_of(value: Any, path: Path, old: OldFolder | None) -> Any:
    if not _is_function(value):
        if old is not None and value is not None:
            raise InputError(
                f"update in {path.name} is no function, so that it can't be given the embeddings in {old.name}; write "
                f"def update(old), or leave out --compatible-with"
            )
        return value
    takes, needs = _arguments(value)
    if old is not None and not takes:
        raise InputError(
            f"update() in {path.name} takes no old model; write def update(old), which is given the embeddings in "
            f"{old.name}, or leave out --compatible-with"
        )
    if old is None and needs:
        raise InputError(
            f"update({needs[0]}) in {path.name} wants the old model's embeddings; name their folder with "
            f"--compatible-with"
        )
    return value() if old is None else value(old.stored)


def _arguments(function: Callable[..., Any]) -> tuple[bool, list[str]]:
    """Return whether a function takes an argument by its place, and the names of those that it can't do without."""
    places = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    found = [one for one in inspect.signature(function).parameters.values() if one.kind in places]
    return bool(found), [one.name for one in found if one.default is inspect.Parameter.empty]


def _with_old_head(update: Update, path: Path, old: OldFolder) -> CompatibleUpdate:
    from segue.compatible.recipes import Update as CompatibleUpdate

    if not isinstance(update, CompatibleUpdate):
        raise InputError(
            f"update in {path.name} is an Update of segue.congruent.recipes, which knows no old gallery; return one of "
            f"segue.compatible.recipes, or leave out --compatible-with"
        )
    if update.old is not old.stored:
        raise InputError(
            f"update(old) in {path.name} returned an Update of another old model than the one in {old.name}; pass old "
            f"on as it is given, Update(build, old, ...), or leave out --compatible-with"
        )
    if old.head is None:
        return update
    if update.old_head is not None:
        raise InputError(f"update in {path.name} has an old_head, and {old.name} holds another; keep one of them")
    return replace(update, old_head=old.head)
