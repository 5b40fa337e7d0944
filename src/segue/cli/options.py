"""Options that several commands share: written down once as dataclasses, and put into each command's signature."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints


def sharing(*shared: Any) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command the fields of dataclasses as arguments and options.

    Args:
        *shared: Dataclasses whose fields are annotated as typer's parameters are. The command takes an instance of
            each as its first arguments.

    Returns:
        A decorator of commands.
    """
    theirs = {part: _parameters(part) for part in shared}

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        hints = get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
            for parameter in list(inspect.signature(command).parameters.values())[len(shared) :]
        ]
        every = [*(parameter for several in theirs.values() for parameter in several), *own]

        @functools.wraps(command)
        def wrapped(**given: Any) -> int:
            parts = [part(**{one.name: given.pop(one.name) for one in several}) for part, several in theirs.items()]
            return command(*parts, **given)

        vars(wrapped)["__signature__"] = inspect.Signature(every)
        wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
        return wrapped

    return decorate


def _parameters(options: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(options, include_extras=True)
    return [
        inspect.Parameter(
            part.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if part.default is dataclasses.MISSING else part.default,
            annotation=hints[part.name],
        )
        for part in dataclasses.fields(options)
    ]
