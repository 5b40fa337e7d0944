"""``segue retrieval-flips``, typed: the library's flips of queries, with the report and the gate of ``segue gate``."""

import csv
import json

import junitparser
import numpy as np
import pyarrow.parquet as pq
import pytest

from segue.retrieval import Relevance, retrieval_flips, retrieval_score_flips
from tests.cli.embedded import COUNTRIES, IDS, ITEMS, LABELS, NEW, OLD, QUERIES, save, save_all
from tests.cli.tables import installed, segue

ASKED = ("--queries-old", "q-old.npz", "--queries-new", "q-new.npz")
OWN = Relevance.from_labels(LABELS, LABELS, exclude=np.arange(ITEMS))


@pytest.fixture
def folder(tmp_path):
    save_all(tmp_path)
    return tmp_path


def told(*typed, cwd):
    result = segue("retrieval-flips", *typed, "--json", cwd=cwd)
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def plain(report):
    return json.loads(json.dumps(report.to_dict()))


def write_updates(folder, queries, lost):
    """Write one item for each query, found by the old model; the new one mistakes some for their neighbour."""
    rows = np.arange(queries)
    angle = 2 * np.pi * rows / queries
    gallery = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for side in ("old", "new"):
        np.savez(folder / f"{side}.npz", embeddings=gallery, ids=rows, labels=rows)
        asked = np.where(rows < lost, rows + 1, rows) if side == "new" else rows
        np.savez(folder / f"q-{side}.npz", embeddings=gallery[asked % queries], ids=rows, labels=rows)


@pytest.mark.parametrize(
    ("queries", "lost", "verdict", "code"), [(1000, 0, "PASS", 0), (1000, 50, "FAIL", 1), (100, 0, "UNDECIDED", 3)]
)
def test_with_a_limit_the_exit_code_is_the_gates(tmp_path, queries, lost, verdict, code):
    write_updates(tmp_path, queries, lost)
    typed = ("retrieval-flips", "old.npz", "new.npz", *ASKED, "--k", "1", "--max-nfr", "0.01")
    result = installed(*typed, cwd=tmp_path)
    assert result.returncode == code
    assert result.stdout.startswith(f"{verdict}: ")
    assert result.stderr == ""
    decided = json.loads(segue(*typed, "--json", cwd=tmp_path).stdout)
    assert (decided["exit_code"], decided["report"]["negative_flips"]) == (code, lost)


def test_without_a_limit_it_measures(folder):
    found = told("old.npz", "new.npz", "--k", "1", "--slice", "country", cwd=folder)
    wanted = plain(retrieval_flips(OLD, NEW, OLD, NEW, OWN, k=1, ids=IDS, slices={"country": COUNTRIES}))
    assert found.pop("notes") == ["every item is a query, and does not find itself", *wanted.pop("notes")]
    assert found == wanted
    shown = segue("retrieval-flips", "old.npz", "new.npz", "--k", "1", "--slice", "country", cwd=folder)
    assert "negative flip rate" in shown.stdout
    assert "country = DE" in shown.stdout


def test_ten_items_are_looked_at_unless_another_number_is_typed(folder):
    assert "among the 10 nearest" in told("old.npz", "new.npz", cwd=folder)["notes"][1]


def test_a_kept_gallery_is_searched_by_the_new_queries(folder):
    kept = told("old.npz", "new.npz", "--k", "1", "--keep-gallery", cwd=folder)
    wanted = plain(retrieval_flips(OLD, NEW, OLD, OLD, OWN, k=1, ids=IDS))
    assert kept["counts"] == wanted["counts"]
    assert kept["counts"] != told("old.npz", "new.npz", "--k", "1", cwd=folder)["counts"]
    assert "new queries search the old gallery" in kept["notes"]
    alone = told("old.npz", *ASKED, "--k", "1", "--keep-gallery", cwd=folder)
    asked = Relevance.from_labels(LABELS[:QUERIES], LABELS)
    wanted = retrieval_flips(OLD[:QUERIES], NEW[:QUERIES], OLD, OLD, asked, k=1)
    assert alone["counts"] == plain(wanted)["counts"]
    assert (
        told("old.npz", "not-there.npz", *ASKED, "--k", "1", "--keep-gallery", cwd=folder)["counts"] == alone["counts"]
    )


def test_a_map_is_searched_with_or_through(folder):
    through = told("old.npz", "new.npz", "--k", "1", "--gallery-to-new", "new.npz", cwd=folder)
    assert through["counts"] == told("old.npz", "new.npz", "--k", "1", cwd=folder)["counts"]
    mapped = told("old.npz", "--k", "1", "--queries-to-old", "old.npz", cwd=folder)
    assert (mapped["negative_flips"], mapped["positive_flips"]) == (0, 0)


def test_a_measure_is_compared_in_place_of_hits(folder):
    found = told("old.npz", "new.npz", "--measure", "map@5", "--tolerance", "0.2", cwd=folder)
    wanted = plain(retrieval_score_flips(OLD, NEW, OLD, NEW, OWN, measure="map@5", tolerance=0.2, ids=IDS))
    assert found["schema"] == "segue.flips.graded/1"
    assert found["rates"] == wanted["rates"]
    gated = segue("retrieval-flips", "old.npz", "new.npz", "--measure", "map@5", "--min-score-change", "0", cwd=folder)
    assert (gated.returncode, gated.stdout.startswith("PASS")) == (0, True)
    unfit = segue(
        "retrieval-flips", "old.npz", "new.npz", "--measure", "map@5", "--min-accuracy-change", "0", cwd=folder
    )
    assert unfit.returncode == 2


def test_every_form_is_written_at_once(tmp_path):
    write_updates(tmp_path, 400, 30)
    files = ("--json", "out.json", "--junit", "out.xml", "--markdown", "out.md", "--report", "out.html",
             "--flips-to", "lost.csv")  # fmt: skip
    typed = ("retrieval-flips", "old.npz", "new.npz", *ASKED, "--k", "1", "--max-nfr", "0.01", *files)
    result = segue(*typed, cwd=tmp_path)
    assert result.returncode == 1
    assert "The report is in out.html" in result.stdout
    assert json.loads((tmp_path / "out.json").read_text())["verdict"] == "fail"
    (suite,) = junitparser.JUnitXml.fromfile(str(tmp_path / "out.xml"))
    assert (suite.tests, suite.failures) == (1, 1)
    assert "Segue gate: FAIL" in (tmp_path / "out.md").read_text()
    page = (tmp_path / "out.html").read_text()
    assert "segue retrieval-flips old.npz new.npz" in page
    assert "must not replace" in page
    with (tmp_path / "lost.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["id"] for row in rows} == {str(number) for number in range(30)}
    assert all((row["old_nearest"], row["new_nearest"]) == (row["id"], str(int(row["id"]) + 1)) for row in rows)


def test_flips_may_go_to_parquet_by_row_where_there_are_no_ids(folder):
    np.save(folder / "labels.npy", LABELS)
    typed = ("old.npy", "new.npy", "--labels", "labels.npy", "--k", "1", "--flips-to", "lost.parquet")
    found = told(*typed, cwd=folder)
    rows = pq.read_table(folder / "lost.parquet").to_pylist()
    assert len(rows) == found["negative_flips"] + found["positive_flips"] > 0
    for row in rows:
        assert (LABELS[row["old_nearest"]] == LABELS[row["id"]]) == (row["flip"] == "negative")


@pytest.mark.parametrize("ids", [np.array([10, 11, 12, 13]), np.array(["a", "b", "c", "d"])])
def test_a_query_that_finds_nothing_has_no_nearest_item(ids, tmp_path):
    # As many cells as items: an item without a twin is alone in its cell, and finds nothing beside itself.
    for side, rows in (("old", [0, 0, 1, 2]), ("new", [0, 1, 2, 3])):
        np.savez(tmp_path / f"{side}.npz", embeddings=np.eye(4)[rows], ids=ids, labels=np.array([0, 0, 1, 1]))
    typed = ("old.npz", "new.npz", "--k", "1", "--index", "IVF4,Flat")
    notes = told(*typed, "--flips-to", "lost.csv", cwd=tmp_path)["notes"]
    assert "the search of old found nothing at all for 2 queries" in notes
    assert "the search of new found nothing at all for 4 queries" in notes
    with (tmp_path / "lost.csv").open() as file:
        rows = {row["id"]: (row["old_nearest"], row["new_nearest"]) for row in csv.DictReader(file)}
    assert rows == {str(ids[0]): (str(ids[1]), ""), str(ids[1]): (str(ids[0]), "")}


def test_protected_queries_and_policies_hold_here_too(tmp_path):
    write_updates(tmp_path, 1000, 20)
    (tmp_path / "policy.toml").write_text('max_nfr = 0.1\n[golden]\nids = ["5"]\n')
    typed = ("retrieval-flips", "old.npz", "new.npz", *ASKED, "--k", "1", "--policy", "policy.toml")
    broken = segue(*typed, cwd=tmp_path)
    assert (broken.returncode, "1 of 1 flipped from right to wrong: 5" in broken.stdout) == (1, True)
    (tmp_path / "policy.toml").write_text('max_nfr = 0.1\n[golden]\nids = ["500"]\n')
    held = segue(*typed, cwd=tmp_path)
    assert held.returncode == 0
    tighter = segue(*typed, "--max-nfr", "0.01", cwd=tmp_path)
    assert "Note: --max-nfr 0.01 takes the place of the policy's max_nfr, which is 0.1." in tighter.stdout
    (tmp_path / "policy.toml").write_text('max_nfr = 0.1\n[golden]\nids = ["9999"]\n')
    absent = segue(*typed, cwd=tmp_path)
    assert (absent.returncode, "1 of 1 are not in the data: 9999" in absent.stdout) == (3, True)


def test_slices_of_a_policy_are_read_from_the_queries(folder):
    (folder / "policy.toml").write_text('max_nfr = 0.9\n[[slices]]\ncolumn = "country"\nmax_nfr = 0.9\n')
    result = segue("retrieval-flips", "old.npz", "new.npz", "--k", "1", "--policy", "policy.toml", "--json", cwd=folder)
    checks = json.loads(result.stdout)["checks"]
    assert {check["where"] for check in checks} == {None, *(f"country = {name}" for name in ("DE", "ES", "FR", "IT"))}
    without = segue("retrieval-flips", "old.npz", "new.npz", "--k", "1", "--max-slice-nfr", "0.5", cwd=folder)
    assert (without.returncode, "name slice columns with --slice" in without.stderr) == (2, True)


def test_queries_without_an_answer_are_left_out_when_asked(folder):
    for side in ("old", "new"):
        save(folder / f"q-{side}.npz", labels=np.array(["pan", *LABELS[1:QUERIES]]))
    typed = ("old.npz", "new.npz", *ASKED, "--k", "1")
    found = told(*typed, "--without-relevant", "drop", cwd=folder)
    assert found["samples"] == QUERIES - 1
    assert any("1 query was left out" in note for note in found["notes"])
    (folder / "golden.txt").write_text("q0\n")
    gated = segue("retrieval-flips", *typed, "--without-relevant", "drop", "--golden", "golden.txt", cwd=folder)
    assert (gated.returncode, "1 of 1 are not in the data: q0" in gated.stdout) == (3, True)


@pytest.mark.parametrize("option", ["--report", "--flips-to", "--junit", "--markdown", "--json"])
def test_no_output_replaces_an_input(folder, option):
    name = "labels.csv" if option == "--flips-to" else "labels.json"
    (folder / name).symlink_to(folder / "q-old.npz")
    typed = ("retrieval-flips", "old.npz", "new.npz", *ASKED, "--max-nfr", "0.1", option, name)
    before = (folder / "q-old.npz").read_bytes()
    result = segue(*typed, cwd=folder)
    assert result.stderr == f"Error: {option}: {name!r} is an input as well; name another file\n"
    assert (result.returncode, (folder / "q-old.npz").read_bytes() == before) == (2, True)
