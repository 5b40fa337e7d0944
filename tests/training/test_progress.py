import contextlib
import os
import pty
import re
import sys

import torch
from torch import nn

from segue.training import Validation, fit
from tests.training.problems import network, points, sgd


def shown(monkeypatch, **options):
    """Return what a run draws on a terminal."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    model = network()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        fit(model, points(), nn.CrossEntropyLoss(), optimizer=sgd(model), epochs=2, batch_size=30, **options)
    drawn = b""
    with contextlib.suppress(OSError):  # a terminal whose other end is closed ends with an error
        while piece := os.read(ours, 65_536):  # what was written may come in pieces
            drawn += piece
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn.decode())


def test_a_terminal_shows_loss_accuracy_and_negative_flips(monkeypatch):
    watched = Validation(points(50, seed=1), torch.zeros(50, dtype=torch.int64))
    drawn = shown(monkeypatch, validation=watched, name="the [new] model")
    assert re.search(r"the \[new\] model .*6/6.* loss \d\.\d{4} accuracy \d+\.\d\d%, negative flips \d+\.\d\d%", drawn)


def test_without_validation_the_loss_alone_is_shown(monkeypatch):
    drawn = shown(monkeypatch)
    assert re.search(r"training .*6/6.* loss \d\.\d{4}", drawn)
    assert "accuracy" not in drawn


def test_nothing_is_shown_where_it_is_not_wanted(monkeypatch):
    assert shown(monkeypatch, progress=False) == ""


def test_nothing_is_shown_where_there_is_no_terminal(capsys):
    model = network()
    fit(model, points(), nn.CrossEntropyLoss(), optimizer=sgd(model), epochs=1)
    assert capsys.readouterr() == ("", "")
