"""The record that every benchmark writes: bars, claims and valid JSON."""

import json
import math

import numpy as np
import pytest

from benchmarks.record import Claim, describe_machine, meets, read_rows, write_record


@pytest.mark.parametrize(
    ("value", "bar", "expected"),
    [
        (1.5, "<= 1.5", True),
        (1.51, "<= 1.5", False),
        (0.94, ">= 0.94", True),
        (0.9, "< 0.9", False),
        (0, "== 0", True),
        (1e-7, "<1e-6", True),
        (0.95, "in [0.94, 1]", True),
        (0.93, "in [0.94, 1]", False),
        (math.nan, "<= 1", False),
        (math.nan, "in [0, 1]", False),
        (-2.0, ">= -2.5", True),
    ],
)
def test_a_bar_is_compared_with_the_value(value, bar, expected):
    assert meets(value, bar) is expected


@pytest.mark.parametrize("bar", ["about 3", "<=", "in [1]", "1.5", "<= 1.5 x"])
def test_a_bar_of_no_known_form_is_refused(bar):
    with pytest.raises(ValueError, match="neither a comparison"):
        meets(1.0, bar)


def test_a_record_is_valid_json_and_its_rows_can_be_read_again(tmp_path):
    claims = [
        Claim("a.ratio", "a ratio", np.float64(1.2), 1.1, None, "<= 1.5"),
        Claim("a.nan", "n", math.nan, 0, 1, "<= 1"),
    ]
    rows = [{"seed": np.int64(3), "nan": math.nan, "several": np.array([1.0, np.inf]), "flag": np.bool_(True)}]
    path = write_record(
        "flips", "trial", seeds=[3], rows=rows, claims=claims, versions={"python": "3"}, folder=tmp_path
    )
    record = json.loads(path.read_text(), parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert [claim["holds"] for claim in record["claims"]] == [True, False]
    assert record["rows"] == [{"seed": 3, "nan": None, "several": [1.0, None], "flag": True}]
    assert read_rows("flips", "trial", folder=tmp_path) == record["rows"]
    assert read_rows("flips", "absent", folder=tmp_path) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["trial.json"]


def test_the_machine_is_described_without_its_name_or_a_path():
    words = describe_machine()
    assert "cores" in words
    assert "/" not in words
