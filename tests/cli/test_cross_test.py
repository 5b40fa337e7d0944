"""``segue cross-test``, typed: the library's numbers, from files of every kind, with an exit code."""

import json
import re
import subprocess

import numpy as np
import pytest

from segue.retrieval import Relevance, cross_test
from tests.cli.embedded import COUNTRIES, IDS, ITEMS, LABELS, NEW, OLD, QUERIES, save, save_all
from tests.cli.tables import SEGUE, in_a_terminal, installed, segue, write_csv

ASKED = ("--queries-old", "q-old.npz", "--queries-new", "q-new.npz")


@pytest.fixture
def folder(tmp_path):
    save_all(tmp_path)
    return tmp_path


def told(*typed, cwd):
    result = segue("cross-test", *typed, "--json", cwd=cwd)
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert found["exit_code"] == result.returncode
    return found


def write_models(folder, old, new, count=300, seed=0):
    """Write items of 30 products, whose embeddings are so far from their product's in each model."""
    draws = np.random.default_rng(seed)
    products = np.arange(count) % 30
    centres = draws.normal(size=(30, 8))
    for side, spread in (("old", old), ("new", new)):
        vectors = centres[products] + spread * draws.normal(size=(count, 8))
        np.savez(folder / f"{side}.npz", embeddings=vectors, labels=products)


@pytest.mark.parametrize(
    ("old", "new", "count", "compatible", "code"),
    [(1.2, 0.4, 300, "yes", 0), (0.4, 1.2, 300, "no", 1), (0.8, 0.8, 60, "can't tell", 3)],
)
def test_the_exit_code_says_whether_new_queries_do_better_on_the_old_gallery(
    tmp_path, old, new, count, compatible, code
):
    write_models(tmp_path, old, new, count)
    result = installed("cross-test", "old.npz", "new.npz", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (code, "")
    assert f"Compatible: {compatible}" in result.stdout
    assert "Note: every item is a query, and does not find itself." in result.stdout
    assert "Note: rows are matched one by one, since the files of embeddings have no ids." in result.stdout
    assert told("old.npz", "new.npz", cwd=tmp_path)["compatible"] == compatible


def test_a_case_worked_by_hand(tmp_path):
    # Each item asks for the other of its pair. Old queries of a1 and a2 find each other, b1 finds a2, and b2, which is
    # like none, the first. New queries find their pair on the old gallery: b2 is 0.04 like b1 and 0.02 like a2.
    old = np.array([[1, 0, 0], [1, 0.1, 0], [0.9, 0.2, 0], [0, 0, 1]], dtype=float)
    new = np.array([[1, 0.1, 0], [1, 0, 0], [0, 0.1, 1], [0, 0.2, 1]], dtype=float)
    labels = ["a", "a", "b", "b"]
    for side, vectors in (("old", old), ("new", new)):
        np.savez(tmp_path / f"{side}.npz", embeddings=vectors, labels=labels)
    (test,) = told("old.npz", "new.npz", cwd=tmp_path)["tests"]
    assert [test[cell]["value"] for cell in ("old_old", "new_old", "new_new")] == [0.5, 1.0, 1.0]


def by_loops(queries, gallery, labels):
    """cmc@1, leaving each query's own row out: a slow reference."""
    found = 0
    for row, query in enumerate(queries):
        scores = {
            place: float(query @ item / np.linalg.norm(query) / np.linalg.norm(item))
            for place, item in enumerate(gallery)
            if place != row
        }
        best = max(scores, key=lambda place: (round(scores[place], 6), -place))
        found += labels[best] == labels[row]
    return found / len(queries)


def test_the_numbers_are_those_of_loops_and_of_the_library(folder):
    (test,) = told("old.npz", "new.npz", cwd=folder)["tests"]
    vectors = {"old": OLD, "new": NEW}
    for cell in ("old_old", "new_old", "new_new"):
        asked, held = cell.split("_")
        assert test[cell]["value"] == pytest.approx(by_loops(vectors[asked], vectors[held], LABELS))
    relevance = Relevance.from_labels(LABELS, LABELS, exclude=np.arange(ITEMS))
    assert test == json.loads(json.dumps(cross_test(OLD, NEW, OLD, NEW, relevance).to_dict()))


@pytest.mark.parametrize("ending", ["npy", "parquet", "arrow"])
def test_every_kind_of_file_says_the_same(folder, ending):
    whole = (*ASKED, "--measure", "map", "--metric", "l2", "--query-labels", "q-old.npz")
    wanted = told("old.npz", "new.npz", *whole, cwd=folder)["tests"]
    typed = [word.replace(".npz", f".{ending}") for word in ("old.npz", "new.npz", *ASKED)]
    labels = ("--labels", "old.csv", "--query-labels", "q.csv") if ending == "npy" else ()
    write_csv(folder / "old.csv", {"label": LABELS})
    write_csv(folder / "q.csv", {"label": LABELS[:QUERIES]})
    assert told(*typed, *labels, "--measure", "map", "--metric", "l2", cwd=folder)["tests"] == wanted


def test_each_measure_has_a_table_and_the_criterion_must_hold_by_all(tmp_path):
    write_models(tmp_path, 1.2, 0.4)
    found = told("old.npz", "new.npz", "--measure", "cmc@1", "--measure", "precision@290", cwd=tmp_path)
    assert [test["measure"] for test in found["tests"]] == ["cmc@1", "precision@290"]
    alone = [told("old.npz", "new.npz", "--measure", name, cwd=tmp_path) for name in ("cmc@1", "precision@290")]
    assert [one["tests"][0] for one in alone] == found["tests"]
    assert [one["compatible"] for one in alone] == ["yes", "can't tell"]
    assert (found["compatible"], found["exit_code"]) == ("can't tell", 3)
    shown = segue("cross-test", "old.npz", "new.npz", "--measure", "cmc@1", "--measure", "map@10", cwd=tmp_path)
    assert re.findall(r"queries +gallery +(\S+)", shown.stdout) == ["cmc@1", "map@10"]


def test_maps_between_the_spaces_take_part(folder):
    np.savez(folder / "mapped.npz", embeddings=OLD @ np.ones((4, 3)) + NEW[:, :3], ids=IDS)
    save(folder / "new.npz", embeddings=NEW[:, :3])
    (test,) = told("old.npz", "new.npz", "--gallery-to-new", "mapped.npz", cwd=folder)["tests"]
    assert (test["mapped"], test["names"]) == ("gallery", {"old": "old", "new": "new"})
    relevance = Relevance.from_labels(LABELS, LABELS, exclude=np.arange(ITEMS))
    wanted = cross_test(OLD, NEW[:, :3], OLD, NEW[:, :3], relevance, gallery_to_new=OLD @ np.ones((4, 3)) + NEW[:, :3])
    assert test["new_old"] == wanted.new_old.to_dict()
    (test,) = told("old.npz", "new.npz", "--queries-to-old", "old.npz", cwd=folder)["tests"]
    assert (test["mapped"], test["new_old"]["value"]) == ("queries", test["old_old"]["value"])


def test_a_paragon_takes_part(folder):
    np.savez(folder / "best.npz", embeddings=np.eye(3)[[0, 1, 2] * (ITEMS // 3)], ids=IDS)
    (test,) = told("old.npz", "new.npz", "--gallery-paragon", "best.npz", cwd=folder)["tests"]
    assert test["paragon"]["value"] == 1.0
    typed = ("--gallery-paragon", "new.npz", "--queries-paragon", "q-new.npz", *ASKED)
    (test,) = told("old.npz", "new.npz", *typed, cwd=folder)["tests"]
    assert test["paragon"] == test["new_new"]


def test_judgements_take_the_place_of_labels(folder):
    lines = [f"q{query} 0 s{item} {1 + item % 2}" for query in range(QUERIES) for item in range(query, 24, 3)]
    (folder / "test.qrels").write_text("\n".join(lines))
    typed = ("old.npz", "new.npz", *ASKED, "--qrels", "test.qrels", "--measure", "ndcg@5")
    (test,) = told(*typed, cwd=folder)["tests"]
    judged = {f"q{query}": {f"s{item}": 1 + item % 2 for item in range(query, 24, 3)} for query in range(QUERIES)}
    relevance = Relevance.from_qrels(judged, [f"q{query}" for query in range(QUERIES)], IDS)
    wanted = cross_test(OLD[:QUERIES] * 2, NEW[:QUERIES] * 2, OLD, NEW, relevance, measure="ndcg@5")
    assert test == json.loads(json.dumps(wanted.to_dict()))
    strict = told(*typed[:-2], "--at-least", "2", "--measure", "precision@10", cwd=folder)["tests"][0]
    lenient = told(*typed[:-2], "--measure", "precision@10", cwd=folder)["tests"][0]
    assert strict["new_new"]["value"] < lenient["new_new"]["value"]


def test_queries_that_are_in_the_gallery_are_spoken_of_and_left_out_when_asked(folder):
    for side in ("old", "new"):
        save(folder / f"q-{side}.npz", ids=IDS[:QUERIES])
    found = told("old.npz", "new.npz", *ASKED, cwd=folder)
    assert found["tests"][0]["old_old"]["value"] == 1.0  # each found itself
    assert found["notes"] == [
        "6 of the queries have the id of a gallery item; pass --exclude-own if they are the same items"
    ]
    found = told("old.npz", "new.npz", *ASKED, "--exclude-own", cwd=folder)
    assert found["notes"] == ["6 of the queries are in the gallery by their ids, and do not find themselves"]
    relevance = Relevance.from_labels(LABELS[:QUERIES], LABELS, exclude=np.arange(QUERIES))
    assert found["tests"][0]["old_old"] == cross_test(OLD[:6], NEW[:6], OLD, NEW, relevance).old_old.to_dict()


def test_a_single_query_that_is_in_the_gallery_is_told_in_the_singular(folder):
    ids = np.array(["s3", *(f"q{number}" for number in range(1, QUERIES))])
    for side in ("old", "new"):
        save(folder / f"q-{side}.npz", ids=ids)
    assert told("old.npz", "new.npz", *ASKED, cwd=folder)["notes"] == [
        "1 of the queries has the id of a gallery item; pass --exclude-own if it is the same item"
    ]
    assert told("old.npz", "new.npz", *ASKED, "--exclude-own", cwd=folder)["notes"] == [
        "1 of the queries is in the gallery by its id, and does not find itself"
    ]


def test_groups_and_queries_without_an_answer_are_treated_as_asked(folder):
    assert told("old.npz", "new.npz", "--group", "country", cwd=folder)["tests"][0]["groups"] == 4
    for side in ("old", "new"):
        save(folder / f"q-{side}.npz", labels=np.array(["pan", *LABELS[1:QUERIES]]))
    (left,) = told("old.npz", "new.npz", *ASKED, cwd=folder)["tests"]
    (zero,) = told("old.npz", "new.npz", *ASKED, "--without-relevant", "zero", cwd=folder)["tests"]
    assert (left["queries"], left["without_relevant"]) == (QUERIES - 1, 1)
    assert zero["new_new"]["value"] == pytest.approx(left["new_new"]["value"] * (QUERIES - 1) / QUERIES)


def test_an_index_of_everything_finds_what_the_exact_search_finds(folder):
    exact = told("old.npz", "new.npz", cwd=folder)["tests"]
    assert told("old.npz", "new.npz", "--index", "Flat", cwd=folder)["tests"] == exact


def test_models_are_called_after_their_files_or_as_typed(folder):
    shown = segue("cross-test", "old.npz", "new.npz", "--new-name", "v2\x1b[31m", cwd=folder).stdout
    assert "v2\\x1b[31m queries" in shown
    assert "\x1b" not in shown


def test_the_json_goes_to_a_file_and_never_over_an_input(folder):
    result = segue("cross-test", "old.npz", "new.npz", "--json", "out.json", cwd=folder)
    assert "Compatible: " in result.stdout
    assert json.loads((folder / "out.json").read_text())["schema"] == "segue.cross-test/1"
    (folder / "labels.json").symlink_to(folder / "old.npz")
    refused = segue("cross-test", "old.npz", "new.npz", "--json", "labels.json", cwd=folder)
    assert refused.stderr == "Error: --json: 'labels.json' is an input as well; name another file\n"


def test_a_terminal_gets_colour_unless_no_color_is_set(tmp_path):
    write_models(tmp_path, 1.2, 0.4)
    code, shown = in_a_terminal("cross-test", "old.npz", "new.npz", cwd=tmp_path)
    assert (code, "\x1b[32mCompatible: yes" in shown) == (0, True)
    code, shown = in_a_terminal(
        "cross-test", "old.npz", "new.npz", "--no-progress", cwd=tmp_path, env={"NO_COLOR": "1"}
    )
    assert (code, "Compatible: yes" in shown) == (0, True)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


WITHOUT = (
    "import sys; sys.modules['{0}'] = None; from segue.cli import main;"
    "code = main(['{1}', 'old.npz', 'new.npz']); print(code, sorted({{'torch', 'sklearn'}} & set(sys.modules)))"
)


@pytest.mark.parametrize("command", ["cross-test", "retrieval-flips"])
def test_without_faiss_the_extra_is_named(folder, command):
    python = SEGUE.with_name("python")
    done = subprocess.run([python, "-c", WITHOUT.format("faiss", command)], cwd=folder, capture_output=True, text=True)
    assert done.stdout == "2 []\n"
    assert done.stderr.startswith(f"Error: segue {command} needs 'faiss', which can't be imported (")
    assert done.stderr.endswith("install it with: pip install 'segue[retrieval]'\n")


@pytest.mark.parametrize("command", ["cross-test", "retrieval-flips"])
def test_torch_is_never_loaded(folder, command):
    python = SEGUE.with_name("python")
    done = subprocess.run(
        [python, "-c", WITHOUT.format("nothing", command)], cwd=folder, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1][2:] == "[]"
    assert done.stderr == ""


def test_countries_are_no_labels_unless_they_are_named(folder):
    assert told("old.npz", "new.npz", "--label", "country", cwd=folder)["tests"][0]["without_relevant"] == 0
    relevance = Relevance.from_labels(COUNTRIES, COUNTRIES, exclude=np.arange(ITEMS))
    wanted = cross_test(OLD, NEW, OLD, NEW, relevance).new_new.to_dict()
    assert told("old.npz", "new.npz", "--label", "country", cwd=folder)["tests"][0]["new_new"] == wanted
