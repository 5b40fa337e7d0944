"""The Python file in which a user says what is to be updated: read, checked, and its errors told as the user's own."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from segue.cli.outputs.visible import visible
from segue.errors import InputError, SegueError

if TYPE_CHECKING:
    from segue.congruent.recipes import Update

OF_TEST = ("old_test", "ids", "slices")


@dataclass(frozen=True)
class UpdateFile:
    """What the file defines.

    Attributes:
        path: The file, absolute.
        text: What is written in it.
        module: It, run.
        update: The update.
    """

    path: Path
    text: str
    module: ModuleType
    update: Update

    @property
    def has_test(self) -> bool:
        """Whether it defines test samples; they are not looked at."""
        return self._defined("test") is not None

    def test(self) -> tuple[Any, dict[str, Any]]:
        """Return the test samples and what is known of them, which must not happen before the pick.

        Returns:
            The samples, and the arguments ``old``, ``ids`` and ``slices`` of ``measure`` that are defined.
        """
        names = {"old_test": "old"}
        with told_as_theirs(self.path):
            found = {names.get(name, name): _made(self._defined(name)) for name in OF_TEST}
            return _made(self._defined("test")), {name: one for name, one in found.items() if one is not None}

    def check_test(self, wanted: bool | None) -> bool:
        """Tell whether test samples will be measured, without looking at them.

        Args:
            wanted: What the user typed; ``None`` for nothing.

        Returns:
            Whether they will.

        Raises:
            InputError: If they are wanted and missing, are the samples that the choice is made on, or lack the stored
                logits of the old model.
        """
        from torch import nn

        if not self.has_test:
            if wanted:
                raise InputError(f"--test: {self.path.name} defines no test; define test = (inputs, labels)")
            stray = next((name for name in OF_TEST if self._defined(name) is not None), None)
            if stray is not None:
                raise InputError(
                    f"{self.path.name} defines {stray} but no test; {stray} belongs to test samples: define test, or "
                    f"remove {stray}"
                )
            return False
        for part in ("train", "validation"):
            if self._defined("test") is getattr(self.update, part):
                raise InputError(f"{self.path.name}: test and {part} are the same data; hold some samples out")
        if wanted is False:
            return False
        if not isinstance(self.update.old, nn.Module) and self._defined("old_test") is None:
            raise InputError(
                f"{self.path.name} knows the old model by stored logits alone; define old_test, its logits on the test "
                f"samples (n, old classes), or leave them out with --no-test"
            )
        return True

    def _defined(self, name: str) -> Any:
        return getattr(self.module, name, None)


def read_update_file(name: str) -> UpdateFile:
    """Run the file and take the update from it.

    Args:
        name: Its path.

    Returns:
        What it defines.

    Raises:
        InputError: If it can't be read or run, or defines no update; a traceback of what failed in it goes to stderr.
    """
    from segue.congruent.recipes import Update

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
        update = _made(getattr(module, "update", None))
    if update is None:
        raise InputError(
            f"{path.name} defines no update; define update = Update(...), or a function update() that returns one "
            f"(from segue.congruent.recipes import Update)"
        )
    if not isinstance(update, Update):
        raise InputError(
            f"update in {path.name} is a {type(update).__name__}; make it an Update (from segue.congruent.recipes "
            f"import Update), or a function that returns one"
        )
    return UpdateFile(path, text, module, update)


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

    from segue.training import outputs_of

    update, name = file.update, file.path.name
    with told_as_theirs(file.path, "the data", every=True):
        train, _ = update.data()
    with told_as_theirs(file.path, "build()", every=True):
        model = update.build()
    if not isinstance(model, nn.Module):
        raise InputError(f"build in {name} returned a {type(model).__name__}; return a torch.nn.Module")
    for option in ("optimizer", "fine_tuning"):
        make = getattr(update, option)
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


@contextmanager
def told_as_theirs(path: Path, what: str = "", *, every: bool = False) -> Generator[None]:
    """Tell errors of the user's code as such, with their traceback, and keep what it prints off standard output.

    Args:
        path: The user's file.
        what: What of it runs.
        every: Whether every error is the user's; otherwise those in whose traceback stands the user's code.

    Yields:
        Nothing.

    Raises:
        InputError: In place of an error of the user's code.
        SystemExit: If code that is not the user's ends the process; so with any other error of such code.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:
        first = _first_of_theirs(error.__traceback__, path)
        if isinstance(error, SegueError) or (first is None and not every):
            raise
        print(_traceback(error, first), end="", file=sys.stderr)
        line = error.lineno if isinstance(error, SyntaxError) else _line(error, path)
        where = f" in line {line}" if line and not what else ""
        said = visible(f"{type(error).__name__}: {error}", most=300)
        raise InputError(
            f"{path.name}{': ' + what if what else ''} fails{where} ({said}); mend it, and type the same command again"
        ) from error


def _made(value: Any) -> Any:
    # A tensor, a pair or a dataset (which may be callable) is the thing itself; a function makes it.
    return value() if inspect.isroutine(value) or isinstance(value, partial) else value


def _is_theirs(name: str, path: Path) -> bool:
    place = Path(name)
    return place == path or (path.parent in place.parents and "site-packages" not in place.parts)


def _first_of_theirs(trace: TracebackType | None, path: Path) -> TracebackType | None:
    while trace is not None and not _is_theirs(trace.tb_frame.f_code.co_filename, path):
        trace = trace.tb_next
    return trace


def _line(error: BaseException, path: Path) -> int | None:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None


def _traceback(error: BaseException, first: TracebackType | None) -> str:
    begin = None if isinstance(error, SyntaxError) and first is None else first or error.__traceback__
    return "".join(traceback.format_exception(type(error), error, begin))
