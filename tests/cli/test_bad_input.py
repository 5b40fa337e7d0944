"""Every kind of bad input gets its exact sentence, exit code 2, and leaves no file behind."""

import pytest

from tests.cli.bad_input import SAMPLES, cases
from tests.cli.errors_page import PAGE, page
from tests.cli.tables import installed, segue, write_pair

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=[case.kind for case in CASES])
def test_the_sentence(case, tmp_path):
    case.make(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    code, said = case.told(tmp_path)
    assert said == case.said
    assert code == 2
    assert said[-1] not in ".;:,"
    assert "\n" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_table_is_as_long_as_promised():
    assert len({case.kind for case in CASES if case.words}) >= 50
    assert len({case.kind for case in CASES if case.code}) >= 20


def test_the_page_in_the_docs_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(CASES), "run: python -m tests.cli.errors_page > docs/errors.md"


def test_the_installed_command_says_the_same(tmp_path):
    case = next(case for case in CASES if case.kind == "ids that repeat")
    case.make(tmp_path)
    done = installed(*case.words.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {case.said}\n")


def test_the_sound_pair_that_the_cases_start_from_is_sound(tmp_path):
    write_pair(tmp_path, SAMPLES)
    assert segue("compare", "old.csv", "new.csv", "--id", "id", cwd=tmp_path).returncode == 0


# What comes after a sound beginning: files that break only when they are read to their end.
BROKEN_LATE = {
    "bytes.csv": ("s150,caf\xe9,cat\n", "line 50002 of bytes.csv: it is not UTF-8 text"),
    "short.csv": ("s150,cat\n", "line 50002 of short.csv: 2 values in place of 3"),
    "long.csv": ("s150,cat,cat,cat\n", "line 50002 of long.csv: 4 values in place of 3"),
}


@pytest.mark.parametrize("name", BROKEN_LATE)
def test_files_that_break_far_from_their_beginning_are_told_too(name, tmp_path):
    write_pair(tmp_path, 60_000)
    line, said = BROKEN_LATE[name]
    rows = [f"s{number},{('cat', 'dog')[number % 2]},{('cat', 'dog')[number % 2]}\n" for number in range(60_000)]
    rows[50_000] = line
    (tmp_path / name).write_text("id,label,prediction\n" + "".join(rows), encoding="latin-1")
    done = segue("compare", "old.csv", name, "--id", "id", cwd=tmp_path)
    assert done.returncode == 2
    told = f"a file can't be read to its end ({said}); check that it is whole and of its format"
    assert done.stderr == f"Error: {told}\n"


def test_a_parquet_file_with_damaged_pages_is_told(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_pair(tmp_path, 5000)
    answers = [("cat", "dog")[number % 2] for number in range(5000)]
    table = pa.table({"id": [f"s{number}" for number in range(5000)], "label": answers, "prediction": answers})
    pq.write_table(table, tmp_path / "new.parquet")
    damaged = bytearray((tmp_path / "new.parquet").read_bytes())
    damaged[200:1200] = bytes(number % 251 for number in range(1000))
    (tmp_path / "new.parquet").write_bytes(damaged)
    done = segue("compare", "old.csv", "new.parquet", "--id", "id", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: a file can't be read to its end (")
    assert "new.parquet" in done.stderr
