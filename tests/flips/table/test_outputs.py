"""No file that is read is written over, by whatever name it is called, and names are taken literally."""

import os

import polars as pl
import pytest

from segue.errors import InputError
from segue.flips.table import compare_score_tables, compare_tables, input_files

OLD = {"id": [1, 2, 3, 4], "label": [0, 1, 0, 1], "prediction": [0, 1, 0, 1]}
NEW = {"id": [1, 2, 3, 4], "label": [0, 1, 0, 1], "prediction": [0, 1, 1, 1]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    for part in (0, 1):
        pl.DataFrame(OLD)[2 * part : 2 * part + 2].write_parquet(tmp_path / "parts" / f"{part}.parquet")
    pl.DataFrame(OLD).write_parquet(tmp_path / "o.parquet")
    pl.DataFrame(OLD).write_csv(tmp_path / "o.csv")
    pl.DataFrame(NEW).write_parquet(tmp_path / "n.parquet")
    (tmp_path / "link.parquet").symlink_to(tmp_path / "o.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "target"),
    [
        ("o.parquet", "o.parquet"),
        ("o.parquet", "n.parquet"),
        ("o.parquet", "parts/../o.parquet"),
        ("o.parquet", "link.parquet"),
        ("link.parquet", "o.parquet"),
        ("o.csv", "o.csv"),
        ("parts/*.parquet", "parts/1.parquet"),
        ("parts", "parts/0.parquet"),
        (["parts/0.parquet", "parts/1.parquet"], "parts/1.parquet"),
    ],
)
def test_flips_are_not_written_over_the_input(folder, old, target):
    before = (folder / target).read_bytes()
    for compared, options in ((compare_tables, {}), (compare_score_tables, {"score": "prediction"})):
        with pytest.raises(InputError, match="one of the files that are compared") as caught:
            compared(old, "n.parquet", id="id", flips_to=target, **options)
        assert str(caught.value).startswith(f"flips_to is {target!r}")
    assert (folder / target).read_bytes() == before


def test_flips_may_replace_another_file(folder):
    for _ in range(2):
        compare_tables("o.parquet", "n.parquet", id="id", flips_to="flips.parquet")
    assert pl.read_parquet("flips.parquet")["id"].to_list() == [3]


def test_input_files_are_told(folder):
    found = input_files("parts", "n.parquet")
    assert [os.path.relpath(file) for file in found] == ["parts/0.parquet", "parts/1.parquet", "n.parquet"]
    assert input_files(pl.DataFrame(OLD)) == []
    with pytest.raises(InputError, match="no file"):
        input_files("nowhere.parquet")


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize(("name", "decoy"), [("d[1]", "d1"), ("d*", "dx"), ("d?", "dy"), ("a[b]/d", "ab/d")])
def test_names_that_look_like_patterns_are_names(tmp_path, name, decoy, ending):
    write = {"parquet": "write_parquet", "csv": "write_csv", "jsonl": "write_ndjson"}[ending]
    for table, stem in ((NEW, name), (OLD, decoy)):
        path = tmp_path / f"{stem}.{ending}"
        path.parent.mkdir(exist_ok=True)
        getattr(pl.DataFrame(table), write)(path)
    report = compare_tables(pl.DataFrame(OLD), str(tmp_path / f"{name}.{ending}"), id="id")
    assert report.negative_flips == 1
    assert input_files(str(tmp_path / f"{name}.{ending}")) == [str(tmp_path / f"{name}.{ending}")]
