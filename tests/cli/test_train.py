"""``segue train``: a user's file in, a model and its pages out."""

import json
import re
import signal
import subprocess
import time

import pytest
import torch
from safetensors.torch import load_model

from segue.cli.durations import seconds_of
from segue.cli.method_words import WORDS
from segue.congruent.recipes import METHODS
from segue.errors import InputError
from tests.cli.tables import SEGUE, installed, segue

FILE = """\
import torch
from sklearn.datasets import load_digits
from torch import nn
from segue.congruent.recipes import Update

digits = load_digits()
inputs, labels = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)

def build():
    return nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))

def optimizer(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)

torch.manual_seed(0)
old = build()
descent = optimizer(old.parameters())
for _ in range(60):
    descent.zero_grad()
    nn.functional.cross_entropy(old(inputs[:100]), labels[:100]).backward()
    descent.step()

train, validation = (inputs[:400], labels[:400]), (inputs[400:700], labels[400:700])
update = Update(build, old, train, validation, optimizer, epochs=2, batch_size=64)
"""
TEST = "test = inputs[700:], labels[700:]\n"
WRITTEN = ["model.safetensors", "outcome.json", "explanation.md", "history.json", "front.html", "flips.html"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    # The file trains its old model anew in each process, and several threads may round their sums in another way.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    (tmp_path / "update.py").write_text(FILE)
    return tmp_path


def told(done):
    """The last line on standard error, without its beginning."""
    return done.stderr.splitlines()[-1].removeprefix("Error: ")


def test_from_a_file_to_a_model_and_its_pages(folder):
    (folder / "update.py").write_text(FILE + TEST)
    done = segue("train", "update.py", "--trainings", "2", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    run = folder / "run"
    assert {*WRITTEN, "update.json", "update.py", "runs", "old", "locks"} == {path.name for path in run.iterdir()}
    explained = (run / "explanation.md").read_text()
    assert done.stdout == f"{explained}\nIn run: {', '.join(WRITTEN)}\n"
    assert "On 1,097 test samples" in explained
    assert "Traceback" not in done.stderr
    progress = done.stderr.splitlines()
    assert (
        progress[0] == "Training with auto, within 2 plain trainings; runs are kept in run, and Ctrl-C loses nothing."
    )
    assert sum("best so far" in line or "left out" in line for line in progress) == len(progress) - 1 >= 5
    outcome = json.loads((run / "outcome.json").read_text())
    assert outcome["test"]["samples"] == outcome["plain_test"]["samples"] == 1097
    assert "on test samples" in (run / "flips.html").read_text()
    assert "On test samples, measured once" in (run / "front.html").read_text()
    history = json.loads((run / "history.json").read_text())
    assert list(history) == outcome["pick"]["runs"]
    assert all(len(one["epochs"]) == 2 for one in history.values())
    model = torch.nn.Sequential(torch.nn.Linear(64, 12), torch.nn.ReLU(), torch.nn.Linear(12, 10))
    load_model(model, run / "model.safetensors")


def test_without_test_samples_the_pages_say_what_they_are_measured_on(folder):
    done = segue("train", "update.py", "--method", "averaging", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "on the validation samples it was chosen on" in (folder / "run" / "flips.html").read_text()
    assert json.loads((folder / "run" / "outcome.json").read_text())["test"] is None
    assert "On test samples" not in (folder / "run" / "front.html").read_text()


GUARDED = """
from pathlib import Path
from torch.utils.data import Dataset

def picked():
    assert Path("run/outcome.json").exists(), "test samples were touched before the pick"

class Guarded(Dataset):
    def __len__(self):
        picked()
        return 100
    def __getitem__(self, index):
        picked()
        with open("touched", "a") as file:
            file.write(".")
        return inputs[700 + index], int(labels[700 + index])

"""


@pytest.mark.parametrize("last", ["test = Guarded()\n", "def test():\n    picked()\n    return Guarded()\n"])
def test_test_samples_are_touched_after_the_pick_alone(folder, last):
    (folder / "update.py").write_text(FILE + GUARDED + last)
    without = segue("train", "update.py", "--method", "averaging", "--out", "run", "--no-test", cwd=folder)
    assert without.returncode == 0, without.stderr
    assert not (folder / "touched").exists()
    pick = json.loads((folder / "run" / "outcome.json").read_text())["pick"]
    (folder / "run" / "outcome.json").unlink()
    done = segue("train", "update.py", "--method", "averaging", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "touched").exists()
    assert json.loads((folder / "run" / "outcome.json").read_text())["pick"] == pick


def test_ids_and_slices_reach_the_flip_report(folder):
    more = "ids = [f's{n}' for n in range(1097)]\ndef slices():\n    return {'dark': inputs[700:].mean(1) > 0.3}\n"
    (folder / "update.py").write_text(FILE + TEST + more)
    done = segue("train", "update.py", "--method", "averaging", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert {part["column"] for part in json.loads((folder / "run/outcome.json").read_text())["test"]["slices"]} == {
        "dark"
    }


def test_json_is_alone_on_standard_output_whatever_the_file_prints(folder):
    (folder / "update.py").write_text(
        "print('hello')\n" + FILE.replace("def build():", "def build():\n    print('built')")
    )
    done = segue("train", "update.py", "--method", "averaging", "--out", "run", "--json", cwd=folder)
    found = json.loads(done.stdout)
    assert found["pick"]["method"] == "independent"
    assert found["files"] == WRITTEN
    assert done.stderr.startswith("hello\n")
    segue("train", "update.py", "--method", "averaging", "--out", "run", "--json", "found.json", cwd=folder)
    assert json.loads((folder / "found.json").read_text()) == found


def test_rules_reach_the_choice(folder):
    common = ("train", "update.py", "--method", "averaging", "--out", "run", "--json")
    wide = json.loads(segue(*common, "--passes", "2", "--margin", "0.9", cwd=folder).stdout)
    assert (wide["pick"]["method"], wide["passes"], wide["margin"]) == ("averaging", 2, 0.9)
    assert wide["files"] == WRITTEN[1:]
    said = segue(*common[:-1], "--passes", "2", "--margin", "0.9", cwd=folder).stdout
    assert said.endswith("The pick is 2 models; the trained ones are in run/runs: independent-0\n")
    assert not (folder / "run" / "model.safetensors").exists()
    limit = json.loads(segue(*common, "--max-nfr", "0.9", cwd=folder).stdout)
    assert limit["max_negative_flip_rate"] == 0.9
    assert (folder / "run" / "model.safetensors").exists()


def test_a_second_call_repeats_no_training_and_a_changed_file_is_noted(folder):
    command = ("train", "update.py", "--method", "fine-tuning", "--out", "run")
    first = segue(*command, cwd=folder)
    runs = {path: path.stat().st_mtime_ns for path in (folder / "run" / "runs").rglob("*")}
    again = segue(*command, cwd=folder)
    assert again.stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in (folder / "run" / "runs").rglob("*")} == runs
    assert "Note:" not in again.stderr
    (folder / "update.py").write_text(FILE + "# another word\n")
    noted = segue(*command, cwd=folder)
    assert noted.returncode == 0
    assert (
        "Note: update.py has changed since the first run in run; trainings that are over are not repeated. To train "
        "all anew, name another --out.\n"
    ) in noted.stderr


def test_an_interrupted_run_says_how_to_go_on_and_goes_on(folder):
    (folder / "update.py").write_text(FILE.replace("epochs=2", "epochs=100"))
    command = ["train", "update.py", "--method", "fine-tuning", "--out", "run"]
    process = subprocess.Popen([SEGUE, *command], cwd=folder, stderr=subprocess.PIPE, text=True)
    while not list(folder.glob("run/runs/*/checkpoint/*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.splitlines()[-2:] == [
        "What is trained so far is kept in run; the same command goes on from there.", "Interrupted."
    ]  # fmt: skip
    # a process of the same kind: one with other threads rounds the old model's training in another way
    assert installed(*command, cwd=folder).returncode == 0
    history = json.loads((folder / "run" / "history.json").read_text())
    assert [len(one["epochs"]) for one in history.values()] == [100]


def test_the_list_of_methods(tmp_path):
    done = segue("train", "--list", cwd=tmp_path)
    assert done.returncode == 0
    for name, method in METHODS.items():
        assert f"\n{name}\n    {WORDS[name]}\n    Source: {method.source}." in done.stdout
    assert set(WORDS) == set(METHODS)
    assert all(re.fullmatch(r"[A-Z].{20,110}\.", words) for words in WORDS.values())
    assert "Needs the old model's weights." in done.stdout


def test_help_has_examples():
    done = installed("train", "--help")
    assert done.returncode == 0
    for word in ("UPDATE", "--budget", "--margin", "segue train update.py --budget 10m --out run/", "Exit codes"):
        assert word in done.stdout


MISTAKES = {
    "no file": ("missing.py", None, "UPDATE: there is no file 'missing.py'; check the path"),
    "a folder": (".", None, "UPDATE: '.' is a folder; name a Python file"),
    "not text": ("update.py", b"\xff\xfe\x00", "UPDATE: 'update.py' is not UTF-8 text; name a Python file"),
    "nothing in it": (
        "update.py",
        "x = 1\n",
        "update.py defines no update; define update = Update(...), or a function update() that returns one (from "
        "segue.congruent.recipes import Update)",
    ),
    "something else": (
        "update.py",
        "update = {'epochs': 3}\n",
        "update in update.py is a dict; make it an Update (from segue.congruent.recipes import Update), or a function "
        "that returns one",
    ),
    "the class itself": (
        "update.py",
        "from segue.congruent.recipes import Update as update\n",
        "update in update.py is a type; make it an Update (from segue.congruent.recipes import Update), or a function "
        "that returns one",
    ),
    "ids without test": (
        "update.py",
        FILE + "ids = [1]\n",
        "update.py defines ids but no test; ids belongs to test samples: define test, or remove ids",
    ),
    "test is validation": (
        "update.py",
        FILE + "test = validation\n",
        "update.py: test and validation are the same data; hold some samples out",
    ),
    "train is validation": (
        "update.py",
        FILE.replace("(build, old, train, validation", "(build, old, train, train"),
        "train and validation are the same data; hold some samples out",
    ),
    "stored logits without old_test": (
        "update.py",
        FILE.replace("import Update", "import StoredLogits, Update").replace(
            "(build, old,", "(build, StoredLogits(torch.zeros(400, 10), torch.zeros(300, 10)),"
        )
        + TEST,
        "update.py knows the old model by stored logits alone; define old_test, its logits on the test samples (n, old "
        "classes), or leave them out with --no-test",
    ),
    "build returns no model": (
        "update.py",
        FILE.replace("return nn.Sequential", "return lambda: nn.Sequential").replace(
            "old = build()", "old = build()()"
        ),
        "build in update.py returned a function; return a torch.nn.Module",
    ),
    "optimizer returns none": (
        "update.py",
        FILE.replace("validation, optimizer,", "validation, list,"),
        "optimizer in update.py returned a list; return a torch.optim.Optimizer",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_the_file(tmp_path, mistake):
    name, content, said = MISTAKES[mistake]
    if content is not None:
        (tmp_path / "update.py").write_bytes(content if isinstance(content, bytes) else content.encode())
    done = segue("train", name, "--out", "run", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {said}\n")
    assert not (tmp_path / "run").exists()


FAILURES = {
    "an import that fails": (
        "import torch\nimport no_such_library\n",
        "update.py fails in line 2 (ModuleNotFoundError: No module named 'no_such_library')",
    ),
    "a syntax error": (
        "x = 1\ny = (\n",
        "update.py fails in line 2 (SyntaxError: '(' was never closed (update.py, line 2))",
    ),
    "an error two calls deep": (
        "def update():\n    return other()\ndef other():\n    return 1 / 0\n",
        "update.py fails in line 4 (ZeroDivisionError: division by zero)",
    ),
    "an exit": (
        "import sys\nsys.exit(0)\n",
        "update.py fails in line 2 (SystemExit: 0)",
    ),
    "a new model of the wrong width": (
        FILE.replace("def build():", "def build(width=63):").replace("nn.Linear(64,", "nn.Linear(width,").replace(
            "old = build()", "old = build(64)"
        ),
        "update.py: the model that build() returns, asked about two training samples, fails (RuntimeError: mat1 and "
        "mat2 shapes cannot be multiplied (2x64 and 63x12))",
    ),
    "an optimiser that fails": (
        FILE.replace("lr=0.1, momentum=0.9)", "lr=rate)").replace("old = build()", "old, rate = build(), 0.1")
        + "del rate\n",
        "update.py: optimizer() fails (NameError: name 'rate' is not defined)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_a_file_that_fails_shows_its_own_traceback(tmp_path, failure):
    content, said = FAILURES[failure]
    (tmp_path / "update.py").write_text(content)
    done = segue("train", "update.py", "--out", "run", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert told(done) == f"{said}; mend it, and type the same command again"
    assert "update_file.py" not in done.stderr or "asked about" in said
    shown = done.stderr.splitlines()[:-1]
    if "optimizer" not in said and "asked about" not in said:
        assert any(f'File "{tmp_path / "update.py"}", line' in line for line in shown)
    assert shown[-1].startswith(re.search(r"\((\w+Error|SystemExit)", said)[1])
    assert not (tmp_path / "run").exists()


def test_an_error_of_the_users_data_in_the_middle_is_the_users(folder):
    data = """
class Bad(torch.utils.data.Dataset):
    def __len__(self):
        return 400
    def __getitem__(self, index):
        if index == 77:
            raise OSError("picture 77 is damaged")
        return inputs[index], int(labels[index])
"""
    (folder / "update.py").write_text(
        FILE.replace("update = Update(build, old, train", data + "update = Update(build, old, Bad()")
    )
    done = segue("train", "update.py", "--method", "averaging", "--out", "run", cwd=folder)
    assert done.returncode == 2
    assert "picture 77 is damaged" in told(done)
    assert 'raise OSError("picture 77 is damaged")' in done.stderr


GIVEN = "update.py --out run"
OPTIONS = {
    "--out is missing; name a folder for the model and the pages, such as --out run/": "update.py",
    "UPDATE is missing; name a Python file that defines the update; see: segue train --help": "--out run",
    "--method 'interpolaton' is unknown; did you mean 'interpolation'?": f"{GIVEN} --method interpolaton",
    "--method 'xyz' is unknown; see: segue train --list": f"{GIVEN} --method xyz",
    "--method auto chooses by itself; pass it alone, or leave it out": f"{GIVEN} --method auto --method elodi",
    "--budget is '600'; write a time such as 90s, 10m or 2h": f"{GIVEN} --budget 600",
    "--budget is for --method auto; a named method runs all its strengths: leave out one of them": (
        f"{GIVEN} --budget 10m --method elodi"
    ),
    "--trainings is -1; pass a positive budget": f"{GIVEN} --trainings -1",
    "--margin and --max-nfr are two rules; leave out one of them": f"{GIVEN} --margin 0 --max-nfr 0.1",
    "--margin is 2.0; pass a share from 0 to below 1 (write half a point as 0.005)": f"{GIVEN} --margin 2",
    "--max-nfr is 1.5; pass a share from 0 to below 1 (write 1% as 0.01)": f"{GIVEN} --max-nfr 1.5",
    "--passes is 0; pass how many models may run at prediction time, from 1": f"{GIVEN} --passes 0",
    "--out: 'update.py' is a file; name a folder": "update.py --out update.py",
    "--out: '.' holds other files than those of segue train; name a new folder, so that nothing is lost": (
        "update.py --out ."
    ),
    "--test: update.py defines no test; define test = (inputs, labels)": f"{GIVEN} --test",
}


@pytest.mark.parametrize("said", OPTIONS)
def test_mistakes_in_the_options(folder, said):
    done = segue("train", *OPTIONS[said].split(), cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {said}\n")
    assert [path.name for path in folder.iterdir()] == ["update.py"]


def test_a_folder_of_another_update_is_refused(folder):
    segue("train", "update.py", "--method", "averaging", "--out", "run", cwd=folder)
    before = {path: path.read_bytes() for path in (folder / "run").rglob("*") if path.is_file()}
    (folder / "update.py").write_text(FILE.replace("epochs=2", "epochs=3"))
    done = segue("train", "update.py", "--method", "averaging", "--out", "run", cwd=folder)
    assert done.returncode == 2
    assert told(done) == "--out: 'run' holds the runs of another update: its epochs differs; name another folder"
    assert {path: path.read_bytes() for path in (folder / "run").rglob("*") if path.is_file()} == before


def test_without_the_extra_it_says_which_one(folder):
    blocked = folder / "blocked"
    blocked.mkdir()
    (blocked / "safetensors.py").write_text("raise ImportError('not here')\n")
    done = installed("train", "update.py", "--out", "run", cwd=folder, env={"PYTHONPATH": str(blocked)})
    assert (done.returncode, done.stdout) == (2, "")
    assert told(done) == (
        "segue train needs 'safetensors', which can't be imported (not here); install it with: pip install "
        "'segue[train]'"
    )


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "5 m", "0s", "1e3s", "10min", "nan"])
def test_what_is_no_time(text):
    with pytest.raises(InputError) as error:
        seconds_of(text, "--budget")
    assert str(error.value) == f"--budget is {text!r}; write a time such as 90s, 10m or 2h"
