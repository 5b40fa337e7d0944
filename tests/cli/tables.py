"""Small tables of predictions in files, and the installed command."""

import csv
import io
import os
import pty
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

from segue.cli import main

SEGUE = Path(sys.executable).with_name("segue")


def installed(*arguments, cwd=None, env=None):
    """Run the installed command in a process of its own."""
    surroundings = {key: value for key, value in os.environ.items() if key not in {"FORCE_COLOR", "GITHUB_ACTIONS"}}
    return subprocess.run(
        [SEGUE, *map(str, arguments)],
        cwd=cwd,
        env={**surroundings, "COLUMNS": "100", **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def segue(*arguments, cwd=None):
    """Run the command in this process, which is quicker by a second."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr), chdir(cwd or "."):
        code = main([str(word) for word in arguments])
    return subprocess.CompletedProcess(arguments, code, stdout.getvalue(), stderr.getvalue())


def in_a_terminal(*arguments, cwd, env=None):
    """What the command writes when a person watches."""
    leader, follower = pty.openpty()
    surroundings = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "CI", "GITHUB_ACTIONS"}}
    process = subprocess.Popen(
        [SEGUE, *arguments], cwd=cwd, env={**surroundings, "TERM": "xterm-256color", "COLUMNS": "100", **(env or {})},
        stdin=follower, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    return process.wait(), shown.decode()


def write_csv(path, columns):
    """Write columns of equal length, by name."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def write_pair(folder, samples=1000, broken=0, mended=0, **changes):
    """Write old.csv and new.csv with so many flips; ``changes`` replace columns by ``old_NAME`` or ``new_NAME``."""
    ids = [f"s{number}" for number in range(samples)]
    labels = [("cat", "dog")[number % 2] for number in range(samples)]
    other = {"cat": "dog", "dog": "cat"}
    old = [other[label] if broken <= k < broken + mended else label for k, label in enumerate(labels)]
    new = [other[label] if k < broken else label for k, label in enumerate(labels)]
    country = [("DE", "FR", "IT", "ES")[number % 4] for number in range(samples)]
    sure = [round(0.5 + (number % 50) / 100, 2) for number in range(samples)]
    for side, answers in (("old", old), ("new", new)):
        columns = {"id": ids, "label": labels, "prediction": answers, "country": country, "sure": sure}
        for name, values in changes.items():
            if name.startswith(f"{side}_"):
                columns[name.removeprefix(f"{side}_")] = values
        write_csv(folder / f"{side}.csv", {name: values for name, values in columns.items() if values is not None})
    return folder
