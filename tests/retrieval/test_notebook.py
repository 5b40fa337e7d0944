from xml.etree import ElementTree

import numpy as np
import pytest

from segue.retrieval import (
    CrossTest,
    Relevance,
    at_old_threshold,
    backfill_curve,
    bcubed,
    centroids,
    cluster_study,
    search,
    tar_at_far,
    tpir_at_fpir,
)

OLD, NEW = np.eye(2), np.array([[1.0, 0.1], [0.2, 1.0]])
RELEVANCE = Relevance.from_labels(["<ann>", "bob"], ["<ann>", "bob"])
NAMES = ["<ann>", "<ann>", "bob", "bob"]
STUDIES = {
    "cross test": CrossTest.of([0.0, 1.0], [0.0, 1.0], [1.0, 1.0], names=("<old>", "new")),
    "backfill": backfill_curve(NEW, OLD, NEW, [0, 1], RELEVANCE, steps=2),
    "threshold": at_old_threshold(OLD, NEW, OLD, NEW, RELEVANCE, threshold=0.5),
    "clusters": cluster_study(np.repeat(OLD, 2, axis=0), np.vstack([NEW, NEW]), NAMES),
}
WORDS = {
    "relevance": RELEVANCE,
    "hits": search(NEW, OLD, 2),
    "centroids": centroids(np.repeat(OLD, 2, axis=0), NAMES),
    "bcubed": bcubed(NAMES, [1, 1, 1, 2]),
    "verification": tar_at_far([0.9, 0.8], [0.1, 0.2], 0.5),
    "identification": tpir_at_fpir(
        search(np.repeat(NEW, 2, axis=0), OLD, 1), Relevance.from_labels([1, 3, 2, 3], [1, 2]), 0.5
    ),
}


def page(result):
    # without the one tag that HTML does not close, it is XML
    return ElementTree.fromstring(result._repr_html_().replace("<br>", "<br/>"))


@pytest.mark.parametrize("result", [*STUDIES.values(), *WORDS.values()], ids=[*STUDIES, *WORDS])
def test_notebooks_show_all_the_words_and_no_foreign_tags(result):
    shown = page(result)
    assert {part.tag for part in shown.iter()} <= {"div", "p", "br", "table", "thead", "tbody", "tr", "th", "td"}
    words = list(shown.find("p").itertext())
    assert words
    assert str(result).splitlines()[-len(words) :] == words


@pytest.mark.parametrize("result", STUDIES.values(), ids=STUDIES)
def test_tables_are_rectangular(result):
    rows = list(page(result).iter("tr"))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
