"""Scores, discovery and databases through the command line."""

import json

import duckdb
import numpy as np
import pytest

from segue.flips.table.watched import watch_tables
from segue.flips.warehouse import hidden
from tests.cli.tables import segue, write_csv, write_pair

JOINED = ("old.csv", "new.csv", "--id", "id")


def write_scores(folder, samples=500, drop=0.0, lost=()):
    ids = [f"q{number}" for number in range(samples)]
    old = [round(0.5 + 0.4 * ((number * 7) % 10) / 10, 3) for number in range(samples)]
    new = [round(score - (0.3 if name in lost else drop), 3) for name, score in zip(ids, old, strict=True)]
    write_csv(folder / "old.csv", {"id": ids, "rating": old})
    write_csv(folder / "new.csv", {"id": ids, "rating": new})


def test_graded_scores_are_compared_and_gated(tmp_path):
    write_scores(tmp_path, drop=-0.05, lost={"q3"})
    typed = ("--score", "rating", "--tolerance", "0.1")
    told = json.loads(segue("compare", *JOINED, *typed, "--json", cwd=tmp_path).stdout)
    assert (told["schema"], told["negative_flips"], told["positive_flips"]) == ("segue.flips.graded/1", 1, 0)
    assert told["rates"]["score_change"]["value"] == pytest.approx(0.05 - 0.35 / 500)
    passed = segue("gate", *JOINED, *typed, "--min-score-change", "0", "--max-nfr", "0.05", cwd=tmp_path)
    assert (passed.returncode, "mean score change: 0.0493" in passed.stdout) == (0, True)
    failed = segue("gate", *JOINED, *typed, "--min-score-change", "0.2", cwd=tmp_path)
    assert failed.returncode == 1
    (tmp_path / "golden.txt").write_text("q3\nq4\n")
    golden = segue("gate", *JOINED, *typed, "--golden", "golden.txt", cwd=tmp_path)
    assert (golden.returncode, "1 of 2 flipped from right to wrong: q3" in golden.stdout) == (1, True)
    lenient = segue("gate", *JOINED, "--score", "rating", "--tolerance", "0.3", "--golden", "golden.txt", cwd=tmp_path)
    assert lenient.returncode == 0


def test_a_limit_on_classes_is_refused_for_scores_before_anything_is_read(tmp_path):
    write_scores(tmp_path)
    result = segue(
        "gate", "none.csv", "none2.csv", "--id", "id", "--score", "rating", "--max-churn", "0.1", cwd=tmp_path
    )
    assert result.returncode == 2
    assert result.stderr.startswith("Error: the policy sets max_churn, but the report is on graded scores")


def test_one_file_with_two_columns_of_scores(tmp_path):
    write_csv(tmp_path / "both.csv", {"a": [1, 2, 3], "b": [1, 1, 4]})
    told = json.loads(
        segue("compare", "both.csv", "--old-score", "a", "--new-score", "b", "--json", cwd=tmp_path).stdout
    )
    assert (told["negative_flips"], told["positive_flips"], told["names"]) == (1, 1, {"old": "a", "new": "b"})


def test_discovery_finds_what_was_planted(tmp_path):
    draws = np.random.default_rng(3)
    samples = 4000
    country, device = draws.choice(["DE", "FR", "IT"], samples), draws.choice(["phone", "desk"], samples)
    new = np.where((country == "IT") & (device == "phone") & (draws.random(samples) < 0.6), "b", "a")
    columns = {"label": ["a"] * samples, "v1": ["a"] * samples, "v2": new, "country": country, "device": device}
    write_csv(tmp_path / "both.csv", {name: list(values) for name, values in columns.items()})
    typed = ("--old-prediction", "v1", "--new-prediction", "v2", "--slice", "country", "--slice", "device")
    told = json.loads(segue("compare", "both.csv", *typed, "--discover", "--json", cwd=tmp_path).stdout)
    assert told["discovery"] is not None
    found = json.dumps(told["discovery"])
    assert "IT" in found
    assert "phone" in found
    assert json.loads(segue("compare", "both.csv", *typed, "--json", cwd=tmp_path).stdout)["discovery"] is None


def test_tables_of_a_database_are_compared_and_gated_where_they_are(tmp_path):
    write_pair(tmp_path, 400, broken=8)
    with duckdb.connect(str(tmp_path / "predictions.duckdb")) as database:
        for side in ("old", "new"):
            database.execute(f"CREATE TABLE v_{side} AS FROM read_csv('{tmp_path / side}.csv')")
    address = f"duckdb://{tmp_path / 'predictions.duckdb'}"
    both = (f"{address}#v_old", f"{address}#v_new", "--id", "id")
    told = json.loads(segue("compare", *both, "--slice", "country", "--json", cwd=tmp_path).stdout)
    from_files = json.loads(segue("compare", *JOINED, "--slice", "country", "--json", cwd=tmp_path).stdout)
    assert told["counts"] == from_files["counts"]
    assert told["slices"] == from_files["slices"]
    assert told["names"] == {"old": "v_old", "new": "v_new"}
    (tmp_path / "golden.txt").write_text("s7\ns300\n")
    gated = segue("gate", *both, "--golden", "golden.txt", cwd=tmp_path)
    assert (gated.returncode, "1 of 2 flipped from right to wrong: s7" in gated.stdout) == (1, True)


def test_the_report_does_not_give_a_password_away(tmp_path):
    from segue.cli.run import _told

    words = ["compare", "postgres://me:secret@host/db#old", "new.csv", "--column", "a b"]
    assert _told(words) == "segue compare 'postgres://me@host/db#old' new.csv --column 'a b'"
    assert _told(["postgres://me:p@ss@host/db#t"]) == "segue 'postgres://me@host/db#t'"
    assert _told(["--policy", "a:b@c", "postgres://h/db?user=me&password=secret#t"]) == (
        "segue --policy a:b@c 'postgres://h/db?user=me&password=***#t'"
    )
    for words in (["compare", "postgres://me:secret@h/db#t"], ["compare", "postgres://h/db?password=secret#t"]):
        refused = segue(*words, cwd=tmp_path)
        assert (refused.returncode, "secret" in refused.stderr, "there is one table" in refused.stderr) == (
            2,
            False,
            True,
        )


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgres://me:p@ss@host/db#t", "postgres://me@host/db#t"),
        ("postgres://me:a/b@host:5432/db#t", "postgres://me@host:5432/db#t"),
        ("postgres://me:a?b#c@host/db#t", "postgres://me@host/db#t"),
        ("postgres://me:@host/db#t", "postgres://me@host/db#t"),
        ("mysql://h/db?a=1&PASSWORD=x#y#t", "mysql://h/db?a=1&PASSWORD=***#t"),
        (
            "snowflake://u:p@acc/db?private_key_passphrase=x&warehouse=w",
            "snowflake://u@acc/db?private_key_passphrase=***&warehouse=w",
        ),
        ("duckdb://md:db?motherduck_token=abc", "duckdb://md:db?motherduck_token=***"),
        ("postgres://host:5432/db?user=a@b#t", "postgres://host:5432/db?user=a@b#t"),
        ("postgres://me@host:5432/db#s.t", "postgres://me@host:5432/db#s.t"),
        ("postgres://[::1]:5432/db#t", "postgres://[::1]:5432/db#t"),
        ("duckdb:///a/b@c.duckdb#t", "duckdb:///a/b@c.duckdb#t"),
        ("me:secret@host", "me:secret@host"),
    ],
)
def test_no_part_of_a_password_is_shown(url, told):
    assert hidden(url) == told


def test_a_confidence_is_taken_from_its_own_models_table_only(tmp_path):
    write_pair(tmp_path, 40, broken=4, new_sure=None)
    both = ("--old-confidence", "sure", "--new-confidence", "sure")
    refused = segue("compare", *JOINED, *both, cwd=tmp_path)
    assert (refused.returncode, refused.stderr) == (
        2,
        "Error: --new-confidence: new.csv has no column 'sure', only old.csv has; name a column of new.csv, or leave "
        "--new-confidence out\n",
    )
    mine = segue("compare", *JOINED, "--old-confidence", "sure", "--report", "report.html", cwd=tmp_path)
    assert mine.returncode == 0, mine.stderr
    write_pair(tmp_path, 40, broken=4, old_sure=None)
    assert segue("compare", *JOINED, *both, cwd=tmp_path).stderr.startswith("Error: --old-confidence: old.csv has no")
    # Whole numbers in both tables are not each model's own, and OLD's must not be shown as NEW's.
    write_pair(tmp_path, 40, broken=4, old_sure=[90] * 40, new_sure=[10] * 40)
    assert "not taken for each model's own" in segue("compare", *JOINED, *both, cwd=tmp_path).stderr
    assert segue("compare", *JOINED, "--old-confidence", "sure", cwd=tmp_path).returncode == 0


def test_confidences_keep_their_sides_under_odd_names(tmp_path):
    from segue.cli.measuring import measured
    from segue.cli.tables import Tables

    sure = [0.25] * 40
    write_pair(tmp_path, 40, broken=4, old_old_sure=[0.75] * 40, old_sure=sure, new_sure=None)
    tables = Tables(
        str(tmp_path / "old.csv"), str(tmp_path / "new.csv"), id="id", old_confidence="sure", column=["old_sure"]
    )
    columns = measured(tables, 0.95).flips.columns
    assert set(columns["old_confidence"].tolist()) == {0.25}
    assert set(columns["old_sure"].tolist()) == {0.75}


def test_watched_samples_agree_with_the_report_on_every_sample(tmp_path):
    write_pair(tmp_path, 60, broken=7, mended=9)
    ids = [f"s{number}" for number in range(60)]
    told = watch_tables(tmp_path / "old.csv", tmp_path / "new.csv", [*ids, "it's", ""], id="id")
    assert told == {
        name: "negative" if number < 7 else "positive" if number < 16 else "none" for number, name in enumerate(ids)
    }
    assert watch_tables(tmp_path / "old.csv", tmp_path / "new.csv", ["s1"], id="id") == {"s1": "negative"}
