"""``segue advise``, typed: the library's numbers, from files, with an exit code that says whether the data can tell."""

import json

import numpy as np
import pytest

from segue.advise import advise
from tests.advise.spaces import collection
from tests.cli.tables import installed, segue, write_csv

ITEMS, STORED = slice(0, 60), slice(60, 200)
OLD, NEW, LABELS = collection(200, old_noise=1.6, new_noise=0.0, classes=15, dimension=16)
NAMES = np.array([f"item {label}" for label in LABELS])
IDS = np.array([f"s{number}" for number in range(200)])


@pytest.fixture
def folder(tmp_path):
    for name, vectors in (("old", OLD), ("new", NEW)):
        np.savez(tmp_path / f"{name}.npz", embeddings=vectors[ITEMS], ids=IDS[ITEMS], labels=NAMES[ITEMS])
        np.savez(tmp_path / f"q-{name}.npz", embeddings=vectors[STORED][:40], ids=IDS[STORED][:40])
        np.save(tmp_path / f"{name}.npy", vectors[ITEMS])
    np.savez(tmp_path / "stored.npz", embeddings=OLD[STORED], ids=IDS[STORED], labels=NAMES[STORED])
    np.savez(tmp_path / "all.npz", embeddings=OLD, ids=IDS, labels=NAMES)
    write_csv(tmp_path / "items.csv", {"id": IDS, "label": NAMES})
    return tmp_path


def told(*typed, cwd):
    result = segue("advise", *typed, "--folds", "2", "--json", cwd=cwd)
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert found["exit_code"] == result.returncode
    return found


def test_the_numbers_are_those_of_the_library(folder):
    found = told("old.npz", "new.npz", "--gallery-old", "stored.npz", "--gallery-size", "1_000", cwd=folder)
    wanted = advise(OLD[ITEMS], NEW[ITEMS], labels=NAMES[ITEMS], gallery_old=OLD[STORED], gallery_labels=NAMES[STORED],
                    gallery_size=1000, folds=2)  # fmt: skip
    assert found == {**json.loads(json.dumps(wanted.to_dict())), "exit_code": 0}


def test_a_stored_item_that_is_in_the_sample_is_left_out_and_told(folder):
    alone = told("old.npz", "new.npz", "--gallery-old", "stored.npz", "--gallery-size", "200", cwd=folder)
    whole = told("old.npz", "new.npz", "--gallery-old", "all.npz", "--gallery-size", "200", cwd=folder)
    assert whole["notes"][0] == "60 of all.npz are in the sample by their ids, and were left out of it"
    assert whole["options"] == alone["options"]


def test_queries_and_labels_come_from_files_of_their_own(folder):
    for name in ("old", "new"):  # other items than the gallery's
        np.savez(folder / f"a-{name}.npz", embeddings=(OLD if name == "old" else NEW)[ITEMS], ids=IDS[ITEMS])
    typed = ("a-old.npz", "a-new.npz", "--labels", "items.csv", "--queries-old", "q-old.npz", "--queries-new",
             "q-new.npz", "--gallery-old", "stored.npz")  # fmt: skip
    found = told(*typed, cwd=folder)
    assert found["queries"] == 40
    assert found["notes"][0] == "40 of stored.npz are in the sample by their ids, and were left out of it"
    wanted = advise(OLD[ITEMS], NEW[ITEMS], labels=NAMES[ITEMS], gallery_old=OLD[STORED][40:],
                    gallery_labels=NAMES[STORED][40:], queries_old=OLD[STORED][:40], queries_new=NEW[STORED][:40],
                    query_labels=NAMES[STORED][:40], folds=2)  # fmt: skip
    assert found["options"] == json.loads(json.dumps(wanted.to_dict()))["options"]


def test_the_exit_code_says_whether_the_data_can_tell(folder):
    clear = installed("advise", "old.npz", "new.npz", "--new-name", "v2", "--folds", "2", cwd=folder)
    assert (clear.returncode, clear.stderr) == (0, "")
    assert clear.stdout.startswith("Advice: re-embed everything.\nv2 is better: cmc@1 ")
    unlabelled = installed("advise", "old.npy", "new.npy", "--folds", "2", cwd=folder)
    assert (unlabelled.returncode, unlabelled.stderr) == (3, "")
    assert unlabelled.stdout.startswith("Advice: these data can't tell; until they can, change nothing.\n")
    assert "Note: rows are matched one by one, since the files of embeddings have no ids." in unlabelled.stdout


def test_nothing_to_gain_is_an_answer(folder):
    np.savez(folder / "turned.npz", embeddings=OLD[ITEMS][:, ::-1], ids=IDS[ITEMS])
    result = segue("advise", "old.npz", "turned.npz", cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Advice: change nothing.\n")


def test_the_json_goes_to_a_file_beside_the_words(folder):
    result = segue("advise", "old.npz", "new.npz", "--folds", "2", "--json", "out.json", cwd=folder)
    assert "Advice: " in result.stdout
    assert json.loads((folder / "out.json").read_text())["schema"] == "segue.advice/1"


def test_the_help_shows_how_it_is_used(folder):
    shown = installed("advise", "--help", cwd=folder).stdout
    assert "segue advise old.npz new.npz --gallery-old stored.npz" in shown
    assert "these data can't tell" in shown
