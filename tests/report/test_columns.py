from __future__ import annotations

import base64
import datetime
import gzip
import json
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.report.columns import BEYOND_ALL, read_column
from segue.report.samples import PACK_BEYOND, sample_table, worst_first
from segue.report.thumbnails import Album
from tests.report import reports
from tests.report.reports import objects, png


def read(values, name="thing", base=Path()):
    array = values if isinstance(values, np.ndarray) else objects(values)
    return read_column(name, array, np.arange(len(array)), Album(base), {})


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (np.array([3, 1, 2]), "numbers", ["3", "1", "2"]),
        (np.array([0.5, np.nan, -2.25]), "numbers", ["0.5", "", "\u22122.25"]),
        (np.array([np.inf, -np.inf]), "numbers", ["∞", "\u2212∞"]),
        (np.array([1.5, 2.5], dtype=np.float32), "numbers", ["1.5", "2.5"]),
        (np.array([True, False]), "words", ["True", "False"]),
        (np.array(["a", "b"]), "words", ["a", "b"]),
        (np.array(["2026-01-02", "NaT"], dtype="datetime64[D]"), "words", ["2026-01-02", ""]),
        (np.array(["2026-01-02T03:04"], dtype="datetime64[m]"), "words", ["2026-01-02 03:04"]),
        (np.array([90], dtype="timedelta64[s]"), "words", ["90 seconds"]),
        ([1, None, 2.5], "numbers", ["1", "", "2.5"]),
        ([np.int64(4), np.float32(0.5)], "numbers", ["4", "0.5"]),
        ([Decimal("1.10"), Decimal("NaN")], "numbers", ["1.1", ""]),
        ([1, "one"], "words", ["1", "one"]),
        ([True, None, np.bool_(False)], "words", ["True", "", "False"]),
        ([None, None], "words", ["", ""]),
        ([pd.NA, pd.NaT, "x"], "words", ["", "", "x"]),
        ([datetime.date(2026, 1, 2)], "words", ["2026-01-02"]),
        ([datetime.datetime(2026, 1, 2, 3, 4)], "words", ["2026-01-02 03:04:00"]),
        ([np.datetime64("2026-01-02"), None], "words", ["2026-01-02", ""]),
        ([{"a": [1, None]}, [1, 2], (3,)], "words", ['{"a": [1, null]}', "[1, 2]", "[3]"]),
        ([np.array([0.5, 1.0])], "words", ["[0.5, 1.0]"]),
        ([b"\x00\x01\x02"], "words", ["3 bytes"]),
        ([2**60, 1], "words", [str(2**60), "1"]),  # JavaScript would round it
        (np.ma.MaskedArray([1, 2, 3], mask=[False, True, False]), "numbers", ["1", "", "3"]),
        (np.ma.MaskedArray(["a", "b"], mask=[True, False]), "words", ["", "b"]),
        (np.array([]), "words", []),
    ],
)  # fmt: skip
def test_what_a_column_holds(values, kind, texts):
    column = read(values)
    assert column.kind == kind
    assert [column.text(row) for row in range(len(texts))] == texts


def test_infinity_survives_json():
    assert read(np.array([np.inf])).values == (BEYOND_ALL,)
    assert json.loads(json.dumps(BEYOND_ALL)) == BEYOND_ALL


@pytest.mark.parametrize(
    ("values", "choose"),
    [
        (["a", "b"] * 10, True),
        ([f"text {row}" for row in range(50)], False),
        (["x" * 200] * 50, False),
        ([None], False),
    ],
)
def test_few_short_words_are_chosen_from_a_list(values, choose):
    assert read(values).choose == choose


def test_answers_are_always_chosen_from_a_list_and_never_numbers():
    column = read(np.array([7, 8, 9]), "old")
    assert (column.kind, column.choose, column.names) == ("words", True, ("7", "8", "9"))


def test_confidences_are_shown_in_per_cent():
    assert read(np.array([0.987]), "new_confidence").text(0) == "98.7%"
    assert read(np.array([12.5]), "new_confidence").text(0) == "12.5"


@pytest.mark.parametrize(
    "values",
    [
        [png(), None, b"broken"],
        [b"broken", png()],
        [{"bytes": png(), "path": None}],
        ["one.png", "missing.png"],
        ["missing.png", "one.PNG"],
        np.array(["one.png", "one.PNG"]),
        [np.zeros((4, 4), dtype=np.uint8)],
        [bytearray(png())],
    ],
)
def test_pictures_are_recognised(tmp_path, values):
    (tmp_path / "one.png").write_bytes(png())
    (tmp_path / "one.PNG").write_bytes(png())
    column = read(values, base=tmp_path)
    assert column.kind == "pictures"
    assert max(column.codes) >= 0
    assert column.style == "pixels"


@pytest.mark.parametrize(
    "values", [["missing.png"], ["see one.png"], [b"bytes"], ["x" * 5000 + ".png"], ["zero\0.png"], [np.zeros(4)], [{}]]
)
def test_what_only_looks_like_pictures(values, tmp_path):
    assert read(values, base=tmp_path).kind == "words"


def test_the_worst_come_first():
    columns = {
        "flip": np.array(["positive", "negative", "negative", "positive"]),
        "new_confidence": np.array([0.9, 0.3, 0.8, np.nan]),
    }
    assert worst_first(columns, 4).tolist() == [2, 1, 0, 3]
    scores = {"flip": np.array(["negative", "negative"]), "old": np.array([0.9, 0.9]), "new": np.array([0.5, 0.1])}
    assert worst_first(scores, 2).tolist() == [1, 0]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(ANYTHING, min_size=1, max_size=12))
def test_anything_at_all_can_stand_in_a_column(values):
    report = reports.with_columns(reports.counted(3, len(values), 0, 0), {"thing": objects(values)})
    table = sample_table(report)
    held = json.loads(table.data)
    column = next(one for one in held["columns"] if one["name"] == "thing")
    assert "<" not in table.data
    assert len(column.get("values", column.get("codes") or column.get("names"))) == len(values)
    for row in range(len(values)):
        table.columns[-1].text(row).encode("utf-8")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_numbers_keep_nine_digits(values):
    column = read(np.array(values))
    for before, after in zip(values, column.values, strict=True):
        assert math.isclose(before, after, rel_tol=1e-8)


def test_much_data_is_packed_and_unpacks_to_the_same():
    report = reports.large(6000)
    table = sample_table(report)
    assert table.packed
    held = json.loads(gzip.decompress(base64.b64decode(table.data)))
    assert held["rows"] == 6000
    assert sample_table(report).data == table.data
    assert not sample_table(reports.counted(5, 5, 5, 5)).packed
    assert PACK_BEYOND > 1000


def test_what_is_left_out_is_told():
    flips = reports.counted(5, 4, 0, 0)
    some = reports.with_columns(flips, {"picture": objects([png(shade=row) for row in range(4)])})
    table = sample_table(some, budget=300)
    assert 0 < len(table.album.pictures) < 4
    assert f"The first {len(table.album.pictures)} of 4 pictures are included" in table.notes[0]
