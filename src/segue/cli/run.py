"""The one way in and out of the command line: what is typed goes to a command, what goes wrong becomes an exit code.

Exit codes: 0 pass, 1 fail, 2 usage or bad input, 3 undecided; 70 for a bug in Segue, 74 when nobody reads the output,
130 when interrupted. Whatever goes wrong, 1 is said by the gate and the cross test alone, and 0 only when all went
well.
"""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Sequence

BAD_INPUT = 2
BUG = 70
NOBODY_READS = 74
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: What was typed after ``segue``; the process's own arguments by default.

    Returns:
        The exit code.
    """
    import typer

    from segue.cli.app import app
    from segue.cli.arguments import with_dashes
    from segue.cli.words import for_the_command_line
    from segue.errors import SegueError

    for stream in (sys.stdout, sys.stderr):  # a class name that the terminal can't show must not end in a traceback
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    usage_error = _usage_error()
    typed = sys.argv[1:] if arguments is None else list(arguments)
    try:
        outcome = app(with_dashes(typed), "segue", standalone_mode=False, obj=_told(typed))
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # a closed pipe; within a command typer turns it into an exit with code 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the flush at exit must not fail again
        return NOBODY_READS
    except (KeyboardInterrupt, typer.Abort):
        outcome = INTERRUPTED
    except SegueError as error:
        return _say(f"Error: {for_the_command_line(str(error))}", BAD_INPUT)
    except usage_error as error:
        return _say(f"Error: {_usage(error)}", BAD_INPUT)
    except OSError as error:  # no room, no permission: nobody's bug
        return _say(f"Error: {error.filename or 'a file'}: {error.strerror or error}", BAD_INPUT)
    except Exception:  # whatever it is, it must not look like the gate's verdict
        traceback.print_exc()
        return _say("This is a bug in Segue: please report it with the lines above.", BUG)
    if outcome == INTERRUPTED:
        return _say("Interrupted.", INTERRUPTED)
    return outcome if isinstance(outcome, int) else 0


def _told(typed: Sequence[str]) -> str:
    # The report shows the command that made it, but not the password of a database.
    if not any("://" in word for word in typed):
        return shlex.join(["segue", *typed])
    from segue.flips.warehouse import hidden

    return shlex.join(["segue", *map(hidden, typed)])


def _usage_error() -> type[Exception]:
    # Typer raises click's exceptions or its own copies of them, depending on its version; this finds either.
    import typer

    return next(
        base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException" and issubclass(base, Exception)
    )


def _usage(error: BaseException) -> str:
    words = str(getattr(error, "format_message", lambda: error)()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    command = "segue" if context is None else context.command_path
    return f"{words}; see: {command} --help"


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code
