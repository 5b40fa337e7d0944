"""Whatever form a table comes in, the numbers are the same; what can't be read is told in one sentence."""

import datetime
import gzip
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather, ipc

from segue.errors import InputError
from segue.flips.table import compare_tables
from tests.flips.table.test_agreement import same, told

LABELS = ["cat", 'a "dog"', "one, two", "ünïcode", "line\nbreak"]


@pytest.fixture
def tables(rng):
    n = 200
    label = rng.choice(LABELS, n)
    word = [None if k % 11 == 0 else f"w{k % 3}" for k in range(n)]
    old = pl.DataFrame(
        {
            "id": [f"{k:05d}" for k in range(n)],
            "label": label,
            "prediction": np.where(rng.random(n) < 0.7, label, rng.choice(LABELS, n)),
            "word": word,
            "number": rng.integers(0, 9, n),
            "real": rng.normal(size=n).round(3),
            "day": [datetime.date(2026, 1, 1) + datetime.timedelta(days=k % 50) for k in range(n)],
        }
    )
    new = pl.DataFrame({"id": old["id"], "prediction": np.where(rng.random(n) < 0.8, label, rng.choice(LABELS, n))})
    return old, new[rng.permutation(n).tolist()]


SLICES = ["word", "number", "real", "day"]


def write(table, path):
    name = path.name
    if name.endswith(".parquet"):
        table.write_parquet(path)
    elif name.endswith(".csv"):
        table.write_csv(path)
    elif name.endswith(".tsv"):
        table.write_csv(path, separator="\t")
    elif name.endswith(".csv.gz"):
        path.write_bytes(gzip.compress(table.write_csv().encode()))
    elif name.endswith(".jsonl"):
        table.write_ndjson(path)
    elif name.endswith(".json"):
        path.write_text(json.dumps(json.loads(table.write_json())))
    elif name.endswith(".arrow"):
        with ipc.new_file(path, table.to_arrow().schema) as file:
            file.write_table(table.to_arrow())
    elif name.endswith(".arrows"):
        with ipc.new_stream(path, table.to_arrow().schema) as stream:
            stream.write_table(table.to_arrow())
    elif name.endswith(".feather"):
        feather.write_feather(table.to_arrow(), path)
    return path


@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv", "csv.gz", "jsonl", "json", "arrow", "arrows", "feather"])
def test_every_format_tells_the_same(tables, tmp_path, ending):
    expected = compare_tables(*tables, id="id", slices=SLICES)
    paths = [write(table, tmp_path / f"{name}.{ending}") for name, table in zip(("old", "new"), tables, strict=True)]
    found = compare_tables(*paths, id="id", slices=SLICES)
    same(told(expected), told(found))
    assert found.flips.columns["id"].tolist() == expected.flips.columns["id"].tolist()


def test_globs_folders_and_lists_of_files_are_one_table(tables, tmp_path):
    old, new = tables
    parts = tmp_path / "parts of old"
    (parts / "b").mkdir(parents=True)
    files = [write(old[:70], parts / "1.parquet"), write(old[70:], parts / "2.parquet")]
    target = write(new, tmp_path / "new.csv")
    expected = told(compare_tables(old, new, id="id", slices=SLICES))
    for source in (
        parts,
        parts / "*.parquet",
        str(tmp_path / "**" / "[12].parquet"),
        files,
        [str(parts / "?.parquet")],
    ):
        same(expected, told(compare_tables(source, target, id="id", slices=SLICES)))


@pytest.mark.parametrize("kind", ["pandas", "polars", "lazy", "pyarrow"])
def test_frames_are_tables_too(tables, kind):
    turn = {
        "pandas": lambda table: table.to_pandas(),
        "polars": lambda table: table,
        "lazy": lambda table: table.lazy(),
        "pyarrow": lambda table: table.to_arrow(),
    }[kind]
    expected = compare_tables(*tables, id="id", slices=SLICES)
    same(told(expected), told(compare_tables(*map(turn, tables), id="id", slices=SLICES)))


def test_pandas_categories_and_integers_with_missing_values():
    old = pd.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "label": pd.Categorical(["a", "b", "a", "b"]),
            "prediction": pd.Categorical(["a", "b", "b", "a"]),
            "size": pd.array([1, 2, None, 2], dtype="Int64"),
        }
    )
    new = pd.DataFrame({"id": [4, 3, 2, 1], "prediction": ["b", "a", "b", "b"]})
    report = compare_tables(old, new, id="id", slices=["size"])
    assert (report.negative_flips, report.positive_flips) == (1, 2)
    assert [(part.value, part.samples) for part in report.slices] == [("1", 1), ("2", 2), ("(missing)", 1)]


def test_integers_of_any_width_are_the_same_ids_and_classes():
    old = pa.table({"id": pa.array([1, 2, 3], pa.int32()), "label": pa.array([0, 1, 1], pa.int8()),
                    "prediction": pa.array([0, 1, 0], pa.uint16())})  # fmt: skip
    new = pa.table({"id": pa.array([3, 2, 1], pa.uint64()), "label": pa.array([1, 1, 0], pa.int64()),
                    "prediction": pa.array([1, 1, 1], pa.int32())})  # fmt: skip
    report = compare_tables(old, new, id="id")
    assert (report.negative_flips, report.positive_flips) == (1, 1)


@pytest.mark.parametrize("ids", [[2**64 - 1, 2**63, 5], [2**63 + 1, 2**63, 2**63 + 2], [0, -1, -2]])
def test_ids_at_the_ends_of_what_64_bits_hold(ids):
    key = pa.array(ids, pa.uint64() if min(ids) >= 0 else pa.int64())
    old = pa.table({"id": key, "label": [0, 1, 1], "prediction": [0, 1, 1]})
    new = pa.table({"id": key, "label": [0, 1, 1], "prediction": [1, 0, 1]})
    report = compare_tables(old, new, id="id")
    assert report.flips.columns["id"].tolist() == sorted(ids[:2])


class TestText:
    """CSV says nothing of types: they are found from all rows, and nothing is lost on the way."""

    def write(self, folder, old, new):
        (folder / "old.csv").write_text(old)
        (folder / "new.csv").write_text(new)
        return folder / "old.csv", folder / "new.csv"

    def test_ids_with_leading_zeros_stay_apart(self, tmp_path):
        paths = self.write(tmp_path, "id,label,prediction\n007,a,a\n7,b,b\n", "id,prediction\n7,a\n007,a\n")
        report = compare_tables(*paths, id="id")
        assert report.flips.to_dict()["id"] == ["7"]

    def test_classes_are_numbers_only_if_all_are(self, tmp_path):
        # The first 30,000 rows hold numbers alone; whoever guesses from these fails at the last one.
        old = "".join(f"{k},{k % 2},{k % 2}\n" for k in range(30_000))
        new = "".join(f"{k},{k % 2}\n" for k in range(30_000))
        paths = self.write(tmp_path, f"id,label,prediction\n{old}x,none,none\n", f"id,prediction\n{new}x,0\n")
        with pytest.raises(InputError) as caught:
            compare_tables(*paths, id="id")
        assert str(caught.value) == (
            "new.csv: column 'prediction' holds integers but old.csv: column 'label' holds strings; write both in the "
            "same way"
        )

    def test_rows_of_different_length_are_refused(self, tmp_path):
        paths = self.write(tmp_path, "id,label,prediction\n1,0,0\n", "id,prediction\n1,0,7\n2,1\n")
        with pytest.raises(InputError, match=r"^new.csv can't be read as CSV \(its rows differ in their number of col"):
            compare_tables(*paths, id="id")

    def test_csv_and_parquet_meet(self, tmp_path):
        (tmp_path / "old.csv").write_text("id,label,prediction\n1,0,0\n2,1,1\n3,1,0\n")
        pl.DataFrame({"id": [3, 2, 1], "prediction": [1, 1, 1]}).write_parquet(tmp_path / "new.parquet")
        report = compare_tables(tmp_path / "old.csv", tmp_path / "new.parquet", id="id")
        assert (report.negative_flips, report.positive_flips) == (1, 1)

    def test_floats_as_answers_are_refused(self, tmp_path):
        paths = self.write(tmp_path, "id,label,prediction\n1,0,0\n2,1,1\n", "id,prediction\n1,0.0\n2,nan\n")
        with pytest.raises(InputError, match=r"new.csv: column 'prediction' holds floating-point numbers"):
            compare_tables(*paths, id="id")

    def test_empty_fields_are_missing(self, tmp_path):
        paths = self.write(tmp_path, "id,label,prediction\n1,0,0\n2,1,\n", "id,prediction\n1,0\n2,1\n")
        with pytest.raises(InputError, match=r"old.csv: column 'prediction' has no answer for 1 sample \(id 2\)"):
            compare_tables(*paths, id="id")

    def test_names_of_columns_may_be_anything(self, tmp_path):
        old = 'the "id";`,label,"answer, old",select\n1,0,0,x\n2,1,1,y\n'
        new = 'the "id";`,answer\'s\n2,0\n1,0\n'
        paths = self.write(
            tmp_path, old.replace('the "id";`', '"the ""id"";`"'), new.replace('the "id";`', '"the ""id"";`"')
        )
        report = compare_tables(*paths, id='the "id";`', prediction=("answer, old", "answer's"), slices=["select"])
        assert report.negative_flips == 1
        assert [part.value for part in report.slices] == ["x", "y"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "broken.parquet",
            b"PAR1 not really",
            r"^broken.parquet can't be read as Parquet \(.*\); check that it is whole",
        ),
        ("broken.arrow", b"not arrow", r"^broken.arrow can't be read as Arrow \(.*\); check that it is whole"),
        ("broken.jsonl", b'{"id": 1, "label": ', r"^broken.jsonl can't be read as JSON lines \(.*\); check that"),
        ("empty.csv", b"", r"^empty.csv is an empty file; check that it was written to its end$"),
        ("empty.parquet", b"", r"^empty.parquet is an empty file; check that it was written to its end$"),
        ("table.xlsx", b"PK", r"^table.xlsx has an ending that says nothing of its format; name it .parquet, .csv"),
    ],
)
def test_files_that_can_not_be_read(tables, tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as caught:
        compare_tables(path, tables[1], id="id")
    assert "\n" not in str(caught.value)


def test_mixed_formats_and_empty_folders(tables, tmp_path):
    old, new = tables
    write(old, tmp_path / "a.parquet")
    write(old, tmp_path / "b.csv")
    with pytest.raises(InputError, match=r"^old mixes CSV and Parquet files; pass files of one format"):
        compare_tables(tmp_path, new, id="id")
    (tmp_path / "none").mkdir()
    with pytest.raises(
        InputError, match=r"^old is the folder '.*none', which holds no Parquet, CSV, JSON lines or Arrow file"
    ):
        compare_tables(tmp_path / "none", new, id="id")


def test_columns_to_show(rng):
    n = 50
    label = rng.integers(0, 2, n)
    old = pl.DataFrame(
        {
            "id": range(n),
            "label": label,
            "prediction": label,
            "confidence": rng.random(n),
            "text": [f"t{k}" for k in range(n)],
        }
    )
    new = pl.DataFrame(
        {
            "id": range(n),
            "prediction": 1 - label,
            "confidence": rng.random(n),
            "picture": [b"\x89PNG"] * n,
            "text": ["other"] * n,
        }
    )
    report = compare_tables(old, new, id="id", columns=["text", "confidence", "picture"], flips=7)
    assert list(report.flips.columns) == [
        "id", "flip", "label", "old", "new", "text", "old_confidence", "new_confidence", "picture"
    ]  # fmt: skip
    assert len(report.flips) == 7
    assert (report.flips.negative, report.flips.positive) == (n, 0)
    assert report.flips.columns["text"].tolist() == [f"t{k}" for k in range(7)]
    assert report.flips.columns["new_confidence"].tolist() == new["confidence"][:7].to_list()
    assert bytes(report.flips.columns["picture"][0]) == b"\x89PNG"
    assert list(compare_tables(old, new, id="id", flips=0).flips.columns) == []
