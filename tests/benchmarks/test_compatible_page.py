"""The page of compatible training is written from its record."""

from benchmarks.compatible.methods import TABLE
from benchmarks.compatible.table import page
from benchmarks.record import read_rows


def test_the_page_is_that_of_the_record():
    assert TABLE.read_text(encoding="utf-8") == page(read_rows("compatible", "methods", None))
