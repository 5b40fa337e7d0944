"""``segue decide``: stored predictions taken through newer models, in files, as people type it."""

import csv
import json
import random
import subprocess

import pyarrow.parquet as pq
import pytest

from segue.congruent.decisions import PredictionStore
from segue.errors import InputError
from tests.cli.tables import SEGUE, installed, segue, write_csv

CLASSES = ("cat", "dog", "eel")
START = ("decide", "start", "stored.csv", "labelled-v1.csv", "--state", "state.npz")
UPDATE = ("decide", "update", "state.npz", "v2.csv", "labelled-v2.csv", "--to", "labels.csv")


@pytest.fixture
def folder(tmp_path):
    """200 stored answers of a weak model, a strong model's answers, and labelled answers of both."""
    chance = random.Random(0)

    def answer(truth, right):
        return truth if chance.random() < right else chance.choice(CLASSES)

    truth = [chance.choice(CLASSES) for _ in range(200)]
    ids = [f"s{number:03}" for number in range(200)]
    write_csv(tmp_path / "truth.csv", {"id": ids, "label": truth})
    write_csv(tmp_path / "stored.csv", {"id": ids, "prediction": [answer(one, 0.6) for one in truth]})
    write_csv(tmp_path / "v2.csv", {"id": ids[::-1], "prediction": [answer(one, 0.97) for one in truth[::-1]]})
    source = [CLASSES[number % 3] for number in range(300)]
    for name, right in (("v1", 0.6), ("v2", 0.97)):
        answers = [answer(one, right) for one in source]
        write_csv(tmp_path / f"labelled-{name}.csv", {"label": source, "prediction": answers})
    return tmp_path


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_three_commands_from_stored_predictions_to_better_ones(folder):
    begun = installed(*START, cwd=folder)
    assert (begun.returncode, begun.stderr) == (0, "")
    assert begun.stdout.startswith("200 stored predictions of 3 classes after 1 generation; last: created (stored).")
    assert begun.stdout.endswith("The state is in state.npz\n")

    asked = segue("decide", "next", "state.npz", "--budget", "10%", cwd=folder)
    assert len(set(asked.stdout.split())) == 20
    told = segue("decide", "next", "state.npz", "--budget", "20", "--to", "ask.csv", cwd=folder)
    assert told.stdout == "The 20 most uncertain of 200 samples are in ask.csv\n"
    assert set(rows(folder / "ask.csv")) == set(asked.stdout.split())

    done = segue(*UPDATE, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Generation 2 (v2) answered 200 of 200 samples and differs from the stored label on ")
    assert done.stdout.endswith("The labels are in labels.csv, the state in state.npz\n")
    labels, truth = rows(folder / "labels.csv"), rows(folder / "truth.csv")
    assert list(labels) == sorted(labels)
    right = {key: sum(labels[one][key] == truth[one]["label"] for one in truth) for key in ("prediction", "previous")}
    assert right["prediction"] > right["previous"] + 20
    for row in labels.values():
        assert row["changed"] == str(row["prediction"] != row["previous"]).lower()
    assert {one: row["previous"] for one, row in labels.items()} == {
        one: row["prediction"] for one, row in rows(folder / "stored.csv").items()
    }
    assert PredictionStore.load(folder / "state.npz").labels.tolist() == [row["prediction"] for row in labels.values()]


def test_the_command_does_what_the_library_does(folder):
    from segue.congruent.decisions import Confusion, CostRatio

    segue(*START, cwd=folder)
    done = segue(*UPDATE, "--cost-ratio", "3", "--json", cwd=folder)
    found = json.loads(done.stdout)
    tables = {name: rows(folder / f"{name}.csv") for name in ("stored", "v2")}
    confusions = []
    for name in ("v1", "v2"):
        with (folder / f"labelled-{name}.csv").open(newline="") as file:
            source = list(csv.DictReader(file))
        confusions.append(Confusion.fit([row["label"] for row in source], [row["prediction"] for row in source]))
    store = PredictionStore.create(
        list(tables["stored"]), [row["prediction"] for row in tables["stored"].values()], confusions[0]
    )
    update = store.update(
        list(tables["v2"]), [row["prediction"] for row in tables["v2"].values()], confusions[1], rule=CostRatio(3),
        name="v2",
    )  # fmt: skip
    assert found == {**update.to_dict(), "memory": 1.0, "added": 0}
    assert update.changed > 0
    assert PredictionStore.load(folder / "state.npz").labels.tolist() == store.labels.tolist()


def test_only_what_was_asked_is_answered_and_the_rest_stays(folder):
    segue(*START, cwd=folder)
    segue("decide", "next", "state.npz", "--budget", "10%", "--to", "ask.csv", cwd=folder)
    asked, answers = rows(folder / "ask.csv"), rows(folder / "v2.csv")
    write_csv(folder / "some.csv", {"id": list(asked), "prediction": [answers[one]["prediction"] for one in asked]})
    done = segue("decide", "update", "state.npz", "some.csv", "labelled-v2.csv", "--to", "out.parquet", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "answered 20 of 200 samples" in done.stdout
    table = pq.read_table(folder / "out.parquet").to_pydict()
    changed = {one for one, changes in zip(table["id"], table["changed"], strict=True) if changes}
    assert changed
    assert changed <= set(asked)
    assert len(table["id"]) == 200


@pytest.mark.parametrize("rule", ["mb", "mbme", "majority", "replace"])
@pytest.mark.parametrize("confusion", ["full", "diagonal"])
def test_every_rule_can_be_typed(folder, rule, confusion):
    segue(*START, "--confusion", confusion, cwd=folder)
    done = segue(*UPDATE, "--rule", rule, "--confusion", confusion, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["changed"] == (found["disagreed"] if rule == "replace" else found["changed"])
    assert found["rule"].startswith("take the ")


def test_how_much_of_the_earlier_evidence_counts_is_fitted_or_given(folder):
    chance = random.Random(1)
    labels = [chance.choice(CLASSES) for _ in range(600)]
    said = [one if chance.random() < 0.7 else chance.choice(CLASSES) for one in labels]
    # the second errs just as the first does
    write_csv(folder / "both.csv", {"label": labels, "v1": said, "prediction": said})
    found = {}
    for name, typed in {"all": (), "fitted": ("--earlier", "v1"), "none": ("--memory", "0")}.items():
        (folder / "state.npz").unlink(missing_ok=True)
        segue(*START, cwd=folder)
        done = segue(*UPDATE[:4], "both.csv", *UPDATE[5:], *typed, "--cost-ratio", "4", "--json", cwd=folder)
        assert done.returncode == 0, done.stderr
        found[name] = json.loads(done.stdout)
    assert (found["all"]["memory"], found["fitted"]["memory"]) == (1.0, 0.0)
    assert found["fitted"] == found["none"]
    assert found["none"]["changed"] == found["none"]["disagreed"] > found["all"]["changed"]


def test_whole_numbers_as_ids_and_classes_and_other_names_of_columns(tmp_path):
    write_csv(tmp_path / "stored.csv", {"key": [3, 1, 2], "answer": [0, 1, 1]})
    write_csv(tmp_path / "v2.csv", {"key": [1, 2], "answer": [0, 1]})
    write_csv(tmp_path / "labelled.csv", {"truth": [0, 1] * 50, "said": [0, 1] * 50})
    names = ("--id", "key", "--prediction", "answer", "--label", "truth", "--labelled-prediction", "said")
    begun = segue("decide", "start", "stored.csv", "labelled.csv", "--state", "s.npz", *names, "--json", cwd=tmp_path)
    assert json.loads(begun.stdout) == {"state": "s.npz", "samples": 3, "classes": [0, 1], "generation": 1}
    done = segue(
        "decide",
        "update",
        "s.npz",
        "v2.csv",
        "labelled.csv",
        "--to",
        "l.csv",
        *names,
        "--rule",
        "replace",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert {one: row["prediction"] for one, row in rows(tmp_path / "l.csv").items()} == {"1": "0", "2": "1", "3": "0"}
    asked = segue("decide", "next", "s.npz", "--budget", "1", "--json", cwd=tmp_path)
    assert json.loads(asked.stdout) == {"state": "s.npz", "samples": 3, "budget": 1, "ids": [1]}


def test_new_samples_and_new_classes(folder):
    segue(*START, cwd=folder)
    (folder / "classes.toml").write_text('cat = ["lion", "tiger"]\ndog = "dog"\neel = "eel"\n')
    source = ["lion", "tiger", "dog", "eel", "fox"] * 40
    write_csv(folder / "labelled-v3.csv", {"label": source, "prediction": source})
    write_csv(folder / "v3.csv", {"id": ["s000", "s001", "new"], "prediction": ["fox", "tiger", "lion"]})
    typed = ("decide", "update", "state.npz", "v3.csv", "labelled-v3.csv", "--to", "labels.csv")
    done = segue(*typed, "--class-map", "classes.toml", "--new-ids", "add", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "\n1 new sample was added.\n" in done.stdout
    labels = rows(folder / "labels.csv")
    assert (labels["s000"]["prediction"], labels["s001"]["prediction"]) == ("fox", "tiger")
    assert labels["new"] | {"confidence": ""} == {
        "id": "new", "prediction": "lion", "previous": "lion", "changed": "false", "confidence": "",
    }  # fmt: skip
    store = PredictionStore.load(folder / "state.npz")
    assert (len(store), store.classes.tolist()) == (201, ["dog", "eel", "fox", "lion", "tiger"])


MISTAKES = [
    (("decide", "update", "state.npz", "v9.csv", "labelled-v2.csv", "--to", "o.csv"),
     "NEW: there is no file 'v9.csv'; check the path"),
    (("decide", "update", "none.npz", "v2.csv", "labelled-v2.csv", "--to", "o.csv"),
     "there is no file 'none.npz'; check the path"),
    (("decide", "update", "stored.csv", "v2.csv", "labelled-v2.csv", "--to", "o.csv"),
     "stored.csv holds no stored predictions; name a file that PredictionStore.save() or 'segue decide start' "
     "wrote"),
    ((*UPDATE, "--prediction", "predicton"),
     "v2.csv: there is no column 'predicton' (prediction); did you mean 'prediction'?"),
    ((*UPDATE, "--label", "truth"),
     "labelled-v2.csv: there is no column 'truth' (label); there are 'label', 'prediction'"),
    ((*UPDATE, "--rule", "best"), "--rule is 'best'; pass one of cr, mb, mbme, majority, replace"),
    ((*UPDATE, "--rule", "mb", "--cost-ratio", "3"),
     "--cost-ratio goes with --rule cr, not with --rule mb; leave out one of the two"),
    ((*UPDATE, "--cost-ratio", "0.5"),
     "--cost-ratio is 0.5; pass how many mended answers a broken one costs, 1 or more"),
    ((*UPDATE, "--cost-ratio", "ten"),
     "Invalid value for '--cost-ratio': 'ten' is not a number; see: segue decide update --help"),
    ((*UPDATE, "--memory", "1.5"), "--memory is 1.5; pass the weight of earlier evidence, from 0 to 1"),
    ((*UPDATE, "--memory", "0.5", "--earlier", "label"),
     "--earlier fits what --memory gives; leave out one of the two"),
    ((*UPDATE, "--earlier", "label", "--earlier", "prediction"),
     "--earlier names 2 of the 1 models that have answered; name the column of each, oldest first"),
    ((*UPDATE, "--earlier", "v1"),
     "labelled-v2.csv: there is no column 'v1' (earlier); there are 'label', 'prediction'"),
    ((*UPDATE, "--confusion", "half"), "--confusion is 'half'; pass full or diagonal"),
    ((*UPDATE, "--smoothing", "0"), "--smoothing is 0; pass a number above 0, such as 1"),
    ((*UPDATE, "--new-ids", "drop"), "--new-ids is 'drop'; pass refuse or add"),
    ((*UPDATE[:-1], "labels.txt"), "--to is 'labels.txt'; name a file that ends in .csv or .parquet"),
    ((*UPDATE[:-1], "v2.csv"), "--to: 'v2.csv' is an input as well; name another file"),
    (UPDATE[:-2], "Missing option '--to'; see: segue decide update --help"),
    ((*UPDATE, "--name", "stored"),
     "state.npz has the answers of a model called 'stored' already, and they must not count twice; if this is another "
     "model, give it a name with --name"),
    ((*UPDATE[:3], "strange.csv", *UPDATE[4:]),
     "strange.csv: 1 of 1 ids ('x') is not in state.npz; leave them out, or add them with --new-ids add"),
    ((*UPDATE[:3], "strange.csv", *UPDATE[4:], "--new-ids", "add"),
     "strange.csv answers none of the samples in state.npz; check that the ids are the same"),
    ((*UPDATE[:3], "numbers.csv", *UPDATE[4:]),
     "numbers.csv: the ids are integers but those of state.npz are not; write them in the same way"),
    ((*UPDATE[:3], "twice.csv", *UPDATE[4:]),
     "twice.csv: column 'id' repeats 1 value ('s001'); every sample needs an id of its own"),
    ((*UPDATE[:3], "gaps.csv", *UPDATE[4:]),
     "gaps.csv: column 'prediction' has 1 missing value; complete it, or remove these samples"),
    ((*UPDATE[:3], "fox.csv", *UPDATE[4:]),
     "NEW or LABELLED holds 'fox', which is none of the classes in state.npz ('cat', 'dog', 'eel'); say what each "
     "class is called now with --class-map FILE"),
    ((*UPDATE[:3], "header.csv", *UPDATE[4:]), "header.csv has no rows; check that it was written to its end"),
    ((*UPDATE[:3], "codes.csv", *UPDATE[4:]),
     "codes.csv: column 'prediction' holds integers but labelled-v2.csv: column 'label' holds strings; write classes "
     "in the same way"),
    ((*UPDATE, "--class-map", "part.toml"),
     "--class-map lacks 'dog'; say what every class in state.npz is called now"),
    ((*UPDATE, "--class-map", "more.toml"),
     "--class-map names 'cow', which is none of the classes in state.npz; remove it"),
    (START, "--state: 'state.npz' exists; go on with 'segue decide update state.npz ...', or name another file"),
    ((*START[:-1], "state.csv"), "--state is 'state.csv'; name a file that ends in .npz"),
    ((*START[:-1], "none/state.npz"), "--state: there is no folder 'none' to write 'state.npz' to"),
    (("decide", "next", "state.npz", "--budget", "lots"),
     "--budget is 'lots'; pass a number of samples such as 5000, or a share such as 10%"),
    (("decide", "next", "state.npz", "--budget", "110%"),
     "--budget is '110%'; pass a number of samples such as 5000, or a share such as 10%"),
    (("decide", "next", "state.npz", "--budget", "0"),
     "--budget is '0'; pass a number of samples such as 5000, or a share such as 10%"),
    (("decide", "start"), "Missing argument 'STORED'; see: segue decide start --help"),
    (("decide", "go"), "No such command 'go'; see: segue decide --help"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "said"), MISTAKES, ids=[said[:40] for _, said in MISTAKES])
def test_a_mistake_is_one_sentence_and_changes_nothing(folder, typed, said):
    assert segue(*START, cwd=folder).returncode == 0
    for name, text in {
        "strange.csv": "id,prediction\nx,cat\n",
        "numbers.csv": "id,prediction\n1,cat\n",
        "twice.csv": "id,prediction\ns001,cat\ns001,dog\n",
        "gaps.csv": "id,prediction\ns001,cat\ns002,\n",
        "fox.csv": "id,prediction\ns001,fox\n",
        "header.csv": "id,prediction\n",
        "codes.csv": "id,prediction\ns001,1\n",
        "part.toml": 'cat = "cat"\n',
        "more.toml": 'cat = "cat"\ndog = "dog"\neel = "eel"\ncow = "cow"\n',
    }.items():
        (folder / name).write_text(text)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = segue(*typed, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {said}\n")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_same_command_can_be_typed_again_when_it_broke_off(folder, monkeypatch):
    segue(*START, cwd=folder)
    former = (folder / "state.npz").read_bytes()

    def broken(self, path):
        raise InputError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(PredictionStore, "save", broken)
        assert segue(*UPDATE, cwd=folder).returncode == 2
    assert (folder / "state.npz").read_bytes() == former
    first = (folder / "labels.csv").read_bytes()
    assert segue(*UPDATE, cwd=folder).returncode == 0
    assert (folder / "labels.csv").read_bytes() == first
    assert segue(*UPDATE, cwd=folder).returncode == 2  # but not after it went well: answers would count twice


def test_two_updates_at_once_both_count(folder):
    segue(*START, cwd=folder)
    typed = [[*UPDATE[:-1], f"labels-{name}.csv", "--name", name, "--cost-ratio", "3"] for name in ("v2", "v3")]
    running = [
        subprocess.Popen([SEGUE, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for words in typed
    ]
    assert [(one.communicate(timeout=120)[1], one.returncode) for one in running] == [(b"", 0)] * 2
    store = PredictionStore.load(folder / "state.npz")
    assert store.history[0]["name"] == "stored"
    assert sorted(event["name"] for event in store.history) == ["stored", "v2", "v3"]
    last = rows(folder / f"labels-{store.history[-1]['name']}.csv")
    assert [row["prediction"] for row in last.values()] == store.labels.tolist()


def test_the_help_shows_examples(folder):
    whole = segue("decide", "--help", cwd=folder)
    assert "segue decide start stored.parquet labelled-v1.csv --state predictions.npz" in whole.stdout
    for name in ("start", "next", "update"):
        shown = segue("decide", name, "--help", cwd=folder)
        assert (shown.returncode, f"segue decide {name} " in shown.stdout) == (0, True)
        assert "Args:" not in shown.stdout


def test_ids_can_neither_colour_the_terminal_nor_break_a_line(tmp_path):
    ids = ["\x1b[31mred", "two\nlines", "plain"]
    write_csv(tmp_path / "stored.csv", {"id": ids, "prediction": [0, 1, 0]})
    write_csv(tmp_path / "labelled.csv", {"label": [0, 1], "prediction": [0, 1]})
    assert segue("decide", "start", "stored.csv", "labelled.csv", "--state", "s.npz", cwd=tmp_path).returncode == 0
    shown = segue("decide", "next", "s.npz", "--budget", "100%", cwd=tmp_path).stdout
    assert sorted(shown.splitlines()) == ["\\x1b[31mred", "plain", "two\\nlines"]
    segue("decide", "next", "s.npz", "--budget", "100%", "--to", "ask.csv", cwd=tmp_path)
    assert set(rows(tmp_path / "ask.csv")) == set(ids)
