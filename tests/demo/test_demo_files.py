"""Files are whole or not there: real processes are killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from segue.demo.files import STAGING, alone_in, staging, sweep, write_whole

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from segue.demo.files import write_whole
def slowly(path, letter):
    with path.open("wb") as file:
        for _ in range(64):
            file.write(letter * 4096)
            file.flush()
while True:
    for letter in (b"a", b"b"):
        write_whole(Path(sys.argv[1]), lambda path: slowly(path, letter))
        print("written", flush=True)
"""

HOLD_THE_FOLDER = """
import sys, time
from pathlib import Path
from segue.demo.files import alone_in
with alone_in(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(600)
"""


def start(code, *arguments):
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip()
    return process


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("wait", [0.0, 0.003, 0.007, 0.013, 0.029])
def test_a_killed_writer_leaves_a_whole_file(tmp_path, wait):
    path = tmp_path / "made" / "file.bin"
    writer = start(WRITE_FOR_EVER, path)
    time.sleep(wait)
    kill(writer)
    content = path.read_bytes()
    assert content in {b"a" * 64 * 4096, b"b" * 64 * 4096}
    sweep(path.parent)
    assert [left.name for left in path.parent.iterdir()] == ["file.bin"]


def test_a_writer_that_fails_changes_nothing(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")

    def fail(unfinished):
        unfinished.write_text("half")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_whole(path, fail)
    assert path.read_text() == "before"
    assert [left.name for left in tmp_path.iterdir()] == ["file.txt"]


def test_sweep_removes_only_leftovers(tmp_path):
    with staging(tmp_path) as kept:
        (kept / "x").write_text("x")
        (tmp_path / f"{STAGING}dead").mkdir()
        (tmp_path / "mine").mkdir()
        assert sweep(tmp_path) == 2
    assert [left.name for left in tmp_path.iterdir()] == ["mine"]


def test_a_killed_process_does_not_hold_the_folder(tmp_path):
    holder = start(HOLD_THE_FOLDER, tmp_path)
    waiting = start("print('up', flush=True)\n" + HOLD_THE_FOLDER, tmp_path)
    assert waiting.poll() is None
    kill(holder)
    assert waiting.stdout.readline() == "in\n"  # only now
    kill(waiting)
    with alone_in(tmp_path):
        assert (tmp_path / ".lock").exists()
