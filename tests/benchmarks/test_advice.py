"""The advice on six pairs: what is claimed follows from the rows, and the page of the docs is the record's."""

import pytest

from benchmarks.adapters.advice import PAGE, PAIRS, claims, page
from benchmarks.record import read_rows


def row(recommended, right):
    return {"advice": {"recommended": recommended}, "right": right, "as_it_should": recommended in right}


def test_an_upgrade_to_a_model_that_is_none_is_counted():
    rows = [
        row("change nothing", ["change nothing"]),
        row("re-embed everything", ["change nothing"]),
        row(None, ["change nothing"]),
        row("map the gallery", ["map the gallery", "re-embed everything"]),
    ]
    right, upgrades = claims(rows)
    assert (right.value, right.holds) == (pytest.approx(0.5), False)
    assert (upgrades.value, upgrades.holds) == (1.0, False)
    assert all(claim.holds for claim in claims([rows[0], rows[3]]))


def test_the_record_holds_every_pair_once():
    assert [row["pair"] for row in read_rows("adapters", "advice")] == [pair.name for pair in PAIRS]


def test_the_page_of_the_documentation_is_that_of_the_record():
    rows = read_rows("adapters", "advice")
    assert PAGE.read_text(encoding="utf-8") == page(rows), "run: python -m benchmarks.adapters.advice --page"
    assert all(row["advice"]["reasons"][0] in PAGE.read_text(encoding="utf-8") for row in rows)
