"""``segue train`` of an embedding model: an old model's stored vectors in, a model, its cross test and a page out."""

import json
import signal
import subprocess
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_model, save_file
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from segue.cli.method_words import COMPATIBLE_WORDS
from segue.cli.old_folder import read_old_folder
from segue.compatible.recipes import METHODS, load
from segue.congruent.recipes import METHODS as CONGRUENT
from segue.retrieval import Relevance, cross_test
from tests.cli.tables import SEGUE, installed, segue

FILE = """\
import torch
from sklearn.datasets import load_digits
from torch import nn
from segue.compatible.recipes import StoredEmbeddings, Update

digits = load_digits()
inputs, labels = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
train, validation = (inputs[:400], labels[:400]), (inputs[400:600], labels[400:600])

def build():
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 8))

def optimizer(parameters):
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9)

def update(old):
    return Update(build, old, train, validation, optimizer, epochs=2, batch_size=64)

"""
TEST = "test = inputs[600:800], labels[600:800]\n"
PARTS = {"train": slice(0, 400), "validation": slice(400, 600), "test": slice(600, 800)}
WRITTEN = ["model.safetensors", "outcome.json", "explanation.md", "cross-test.json", "front.html"]
CALL = ("train", "update.py", "--compatible-with", "old", "--out", "run", "--method", "contrastive")


@pytest.fixture(scope="module")
def vectors():
    """What an old model, linear discriminants of the first 150 digits, says of all: 6 numbers."""
    digits = load_digits()
    old = LinearDiscriminantAnalysis(n_components=6).fit(digits.data[:150], digits.target[:150])
    return old.transform(digits.data).astype(np.float32)


@pytest.fixture
def folder(tmp_path, monkeypatch, vectors):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    (tmp_path / "update.py").write_text(FILE)
    (tmp_path / "old").mkdir()
    for part in ("train", "validation"):
        np.save(tmp_path / "old" / f"{part}.npy", vectors[PARTS[part]])
    return tmp_path


def outcome(folder, run="run"):
    return json.loads((folder / run / "outcome.json").read_text())


def without_seconds(found):
    return {**found, "tried": [{**one, "seconds": 0} for one in found["tried"]]}


def told(done):
    """The last line on standard error, without its beginning."""
    return done.stderr.splitlines()[-1].removeprefix("Error: ")


def test_from_stored_vectors_to_a_model_its_cross_test_and_a_page(folder, vectors):
    (folder / "update.py").write_text(FILE + TEST)
    np.save(folder / "old" / "test.npy", vectors[PARTS["test"]])
    done = installed(*CALL, cwd=folder)
    assert done.returncode == 0, done.stderr
    run = folder / "run"
    assert {*WRITTEN, "update.json", "update.py", "test-looks.json", "runs"} == {path.name for path in run.iterdir()}
    assert done.stdout == f"{(run / 'explanation.md').read_text()}\nIn run: {', '.join(WRITTEN)}\n"
    first, *steps = done.stderr.splitlines()
    assert first == "Training with contrastive; runs are kept in run, and Ctrl-C loses nothing."
    assert [step.split(" (")[0] for step in steps] == ["independent: 2 candidates", "contrastive: 2 candidates"]
    found = outcome(folder)
    assert found["pick"]["method"] == "contrastive"

    # the same numbers, by another way: the written weights, plain torch, and the public cross test
    digits = load_digits()
    seen, labels = torch.tensor(digits.data / 16, dtype=torch.float32)[600:800], digits.target[600:800]
    model = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 8))
    load_model(model, run / "model.safetensors")
    with torch.no_grad():
        new = model.eval()(seen).numpy()
        np.testing.assert_array_equal(load(run, lambda: model)(seen), new)
    expected = cross_test(
        vectors[600:800], new, vectors[600:800], new, Relevance.from_labels(labels, labels, exclude=np.arange(200)),
        queries_to_old=new[:, :6],
    ).to_dict()  # fmt: skip
    for cell in ("old_old", "new_old", "new_new", "criterion"):
        assert found["test"][cell] == pytest.approx(expected[cell])
    assert found["test"]["paragon"] is not None
    crossed = json.loads((run / "cross-test.json").read_text())
    assert crossed["tests"] == [found["test"]]
    assert crossed["notes"] == ["measured on test samples, once, after the choice"]
    page = (run / "front.html").read_text()
    assert page.count('class="point') == len(found["candidates"]) == 4
    assert "The cross test, on 200 test samples" in page
    assert "New gallery against old gallery, on 200 validation samples" in page
    assert "segue train update.py --compatible-with old --out run --method contrastive" in page


def test_without_test_samples_everything_says_that_the_choice_was_made_on_them(folder):
    done = segue(*CALL, cwd=folder)
    assert done.returncode == 0, done.stderr
    found = outcome(folder)
    assert found["test"] is None
    crossed = json.loads((folder / "run" / "cross-test.json").read_text())
    assert crossed["tests"] == [found["cross_test"]]
    assert crossed["notes"] == ["measured on the validation samples that the pick was chosen on"]
    page = (folder / "run" / "front.html").read_text()
    assert "The cross test, on 200 validation samples" in page
    assert "It was chosen on these samples, which flatters the numbers a little." in page


def test_the_update_decides_where_it_has_its_old_model(folder):
    with_folder = segue(*CALL, cwd=folder)
    assert with_folder.returncode == 0, with_folder.stderr
    own = "import numpy as np\nold = StoredEmbeddings(*(torch.tensor(np.load(f'old/{part}.npy')) for part in "
    own += "('train', 'validation')))\nupdate = update(old)\n"
    (folder / "own.py").write_text(FILE + own)
    done = segue("train", "own.py", "--out", "own", "--method", "contrastive", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert without_seconds(outcome(folder, "own")) == without_seconds(outcome(folder))
    network = "torch.manual_seed(1)\nold = nn.Linear(64, 5)\nupdate = update(old)\n" + TEST
    (folder / "network.py").write_text(FILE + network)
    done = segue("train", "network.py", "--out", "network", "--method", "independent", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert outcome(folder, "network")["pick"] == outcome(folder, "network")["paragon"]
    assert outcome(folder, "network")["test"]["queries"] == 200


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_the_old_head_is_read_and_reaches_the_training(folder, kind):
    draws = np.random.default_rng(0)
    arrays = {
        "weights": draws.normal(size=(3, 6)).astype(np.float32),
        "bias": np.array([1, 2, 3], np.float32),
        "classes": np.array([4, 0, 2]),
    }
    if kind == "npz":
        np.savez(folder / "old" / "head.npz", **arrays)
    else:
        save_file({name: torch.tensor(array) for name, array in arrays.items()}, folder / "old" / "head.safetensors")
    head = read_old_folder(str(folder / "old")).head
    assert torch.equal(head.weights, torch.tensor(arrays["weights"]))
    assert head.bias.tolist() == [1, 2, 3]
    assert head.rows.class_of_row.tolist() == [4, 0, 2]
    assert not head.cosine
    plain = "print('head', update(StoredEmbeddings(torch.ones(1), torch.ones(1))).old_head)\n"
    (folder / "update.py").write_text(FILE + plain)  # the file itself names none
    call = ("train", "update.py", "--compatible-with", "old", "--method", "influence-distillation")
    done = segue(*call, "--out", "with", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("head None\n")
    next((folder / "old").glob("head.*")).unlink()
    assert segue(*call, "--out", "without", cwd=folder).returncode == 0
    tied, fitted = (
        [one["new_old"] for one in outcome(folder, run)["candidates"] if one["method"] == "influence-distillation"]
        for run in ("with", "without")
    )
    assert tied != fitted


def test_a_cosine_head_has_a_scale(folder):
    np.savez(folder / "old" / "head.npz", weights=np.eye(6, dtype=np.float32), scale=np.float32(8))
    head = read_old_folder(str(folder / "old")).head
    assert head.cosine
    assert head.scale == 8


def test_rows_that_the_old_model_never_saw_are_not_read(folder, vectors):
    known = np.arange(400) < 300
    unseen = np.where(known[:, None], vectors[:400], np.nan).astype(np.float32)
    np.save(folder / "old" / "train.npy", unseen)
    np.save(folder / "old" / "known.npy", known)
    done = segue(*CALL, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert outcome(folder)["pick"]["method"] == "contrastive"


def test_a_killed_run_goes_on_and_ends_as_one_that_was_not(folder):
    (folder / "update.py").write_text(FILE.replace("epochs=2", "epochs=12"))
    process = subprocess.Popen([SEGUE, *CALL], cwd=folder, stderr=subprocess.PIPE, text=True)
    while not (list(folder.glob("run/runs/contrastive-*/checkpoint/*"))):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "run" / "outcome.json").exists()
    over = {path: path.stat().st_mtime_ns for path in (folder / "run" / "runs").glob("independent-*/model.safetensors")}
    assert len(over) == 2
    done = segue(*CALL, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in over} == over
    whole = segue(*(word.replace("run", "whole") for word in CALL), cwd=folder)
    assert whole.returncode == 0, whole.stderr
    assert without_seconds(outcome(folder)) == without_seconds(outcome(folder, "whole"))


def test_a_second_call_repeats_no_training_and_picks_by_another_rule(folder):
    first = segue(*CALL, "--margin", "0", cwd=folder)
    assert first.returncode == 0, first.stderr
    runs = {path: path.stat().st_mtime_ns for path in (folder / "run" / "runs").rglob("*")}
    found = outcome(folder)
    again = segue(*CALL, "--margin", "0.9", "--measure", "mAP", "--json", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in (folder / "run" / "runs").rglob("*")} == runs
    assert "The pick of an earlier call in run will be replaced" in again.stderr
    shown = json.loads(again.stdout)
    assert (shown["measure"], shown["margin"], shown["folder"], shown["files"]) == ("map", 0.9, "run", WRITTEN)
    tied = [one for one in shown["candidates"] if one["method"] == "contrastive"]
    assert shown["pick"] == max(tied, key=lambda one: one["new_old"])
    assert found["margin"] == 0
    assert found["measure"] == "cmc@1"


GUARDED = """
from pathlib import Path

def test():
    assert Path("run/outcome.json").exists(), "test samples were touched before the pick"
    Path("touched").touch()
    return inputs[600:800], labels[600:800]
"""


def test_test_samples_are_touched_after_the_pick_alone(folder, vectors):
    (folder / "update.py").write_text(FILE + GUARDED)
    (folder / "old" / "test.npy").write_bytes(b"no array")
    assert segue(*CALL, "--no-test", cwd=folder).returncode == 0
    assert not (folder / "touched").exists()
    pick = outcome(folder)["pick"]
    (folder / "run" / "outcome.json").unlink()
    broken = segue(*CALL, cwd=folder)
    assert broken.returncode == 2
    assert told(broken) == (
        "old/test.npy can't be read as NumPy's .npy (it does not begin as one); check that it is whole and of this "
        "format"
    )
    np.save(folder / "old" / "test.npy", vectors[600:799])
    short = segue(*CALL, cwd=folder)
    assert told(short) == "old/test.npy has 199 rows for 200 samples; pass one row per sample"
    np.save(folder / "old" / "test.npy", vectors[600:800])
    for _ in range(2):  # the same command again is no other choice
        assert "On 200 test samples, measured once, after the choice:" in segue(*CALL, cwd=folder).stdout
    assert outcome(folder)["pick"] == pick
    assert outcome(folder)["test"]["queries"] == 200
    again = segue(*CALL, "--margin", "0.9", cwd=folder)
    before = f"before for {pick['method']} (strength {pick['settings']['strength']}) (contrastive, cmc@1, margin 0.01)"
    said = f"for the 2nd time: {before}. A choice that was changed after a look at them flatters them"
    assert f"On 200 test samples, measured {said}:" in again.stdout
    assert json.loads((folder / "run" / "cross-test.json").read_text())["notes"] == [
        f"measured on test samples, {said}"
    ]
    assert [look["margin"] for look in outcome(folder)["test_looks"]] == [0.01, 0.9]
    # other samples were not looked at before
    (folder / "update.py").write_text(FILE + GUARDED.replace("[600:800]", "[700:900]"))
    np.save(folder / "old" / "test.npy", vectors[700:900])
    assert "measured once, after the choice" in segue(*CALL, cwd=folder).stdout
    (folder / "run" / "test-looks.json").write_text("{}")
    assert told(segue(*CALL, cwd=folder)) == (
        "'run/test-looks.json' is damaged (KeyError('looks')); it tells how often test samples were measured: name "
        "another folder"
    )


def test_the_list_of_methods(tmp_path):
    theirs = segue("train", "--list", "--compatible-with", "old", cwd=tmp_path)
    assert theirs.returncode == 0
    for name, method in METHODS.items():
        assert f"\n{name}\n    {COMPATIBLE_WORDS[name]}\n    Source: {method.source}." in theirs.stdout
    assert set(COMPATIBLE_WORDS) == set(METHODS)
    assert not any(f"\n{name}\n" in theirs.stdout for name in set(CONGRUENT) - set(METHODS))
    both = segue("train", "--list", cwd=tmp_path).stdout
    assert theirs.stdout.strip() in both
    assert all(f"\n{name}\n" in both for name in CONGRUENT)


def test_help_names_both_kinds(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    shown = segue("train", "--help").stdout
    for word in (
        "segue train update.py --compatible-with old/ --out run/",
        "--compatible-with",
        "--measure",
        "--max-nfr",
    ):
        assert word in shown


def test_a_folder_of_another_training_is_refused(folder):
    done = segue(*CALL, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "update.py").write_text(FILE.replace("epochs=2", "epochs=3"))
    changed = segue(*CALL, cwd=folder)
    assert changed.returncode == 2
    assert told(changed) == (
        "'run/runs/independent-linear' was trained for another update, with other settings, or by another version of "
        "Segue; remove it, or name another folder"
    )
    (folder / "update.py").write_text(FILE)
    (folder / "run" / "update.json").write_text("{}")
    congruent = segue(*CALL, cwd=folder)
    assert told(congruent) == "--out: 'run' holds the runs of a congruent training; name another folder"
    (folder / "run" / "update.json").write_text("{")
    broken = segue(*CALL, cwd=folder)
    assert told(broken).startswith("'run/update.json' is damaged (Expecting property name")
    assert told(broken).endswith("; name another folder")


@pytest.mark.parametrize("missing", [False, True])
def test_damaged_weights_name_the_run_to_remove(folder, missing):
    done = segue(*CALL[:-1], "independent", cwd=folder)
    assert done.returncode == 0, done.stderr
    weights = folder / "run" / "runs" / "independent-linear" / "model.safetensors"
    weights.unlink() if missing else weights.write_bytes(weights.read_bytes()[:40])
    damaged = segue(*CALL[:-1], "independent", cwd=folder)
    assert damaged.returncode == 2
    file = "'run/runs/independent-linear' holds no model" if missing else f"'{weights.relative_to(folder)}' is damaged"
    assert told(damaged).startswith(file)
    assert told(damaged).endswith("; remove the folder 'run/runs/independent-linear', and it is trained again")


def test_a_method_that_diverges_is_no_pick(folder):
    huge = 1e38 * np.random.default_rng(0).normal(size=(10, 6))
    np.savez(folder / "old" / "head.npz", weights=huge.astype(np.float32))
    done = segue(*CALL[:-1], "influence", cwd=folder)
    assert done.returncode == 2
    assert told(done).startswith("the loss is not finite at step")
    assert not (folder / "run" / "model.safetensors").exists()


def test_a_file_that_fails_shows_its_own_traceback(folder):
    (folder / "update.py").write_text(FILE.replace("return Update(", "return missing or Update("))
    done = segue(*CALL, cwd=folder)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert told(done) == (
        "update.py fails in line 17 (NameError: name 'missing' is not defined); mend it, and type the same command "
        "again"
    )
    assert not (folder / "run").exists()
