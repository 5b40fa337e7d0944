import numpy as np
import pytest

from segue.errors import InputError
from segue.retrieval import Relevance


def test_labels_by_hand():
    relevance = Relevance.from_labels(["b", "a", "z"], ["a", "b", "b", "c"], exclude=[1, -1, 3])
    assert relevance.totals.tolist() == [1, 1, 0]
    assert relevance.without_relevant.tolist() == [2]
    assert [relevance.items(query)[0].tolist() for query in range(3)] == [[2], [0], []]
    assert relevance.grades_of(np.array([[1, 2, -1], [0, 1, 3], [3, 0, 1]])).tolist() == [
        [0, 1, 0], [1, 0, 0], [0, 0, 0],
    ]  # fmt: skip


def test_labels_agree_with_a_comparison_of_all_pairs(rng):
    asked, held = rng.integers(0, 9, size=40), rng.integers(3, 12, size=70)
    exclude = rng.integers(-1, 70, size=40)
    relevance = Relevance.from_labels(asked, held, exclude=exclude)
    table = asked[:, None] == held
    table[np.arange(40)[exclude >= 0], exclude[exclude >= 0]] = False
    np.testing.assert_array_equal(relevance.totals, table.sum(axis=1))
    np.testing.assert_array_equal(relevance.grades_of(np.tile(np.arange(70), (40, 1))), table)
    chosen = relevance.select([5, 3])
    np.testing.assert_array_equal(chosen.totals, table[[5, 3]].sum(axis=1))


QRELS = {"q1": {"a": 2, "b": 0, "c": -1}, "q2": {"b": 1, "c": 3}}


def test_qrels_are_read_alike_from_mapping_triples_file_and_frame(tmp_path):
    pandas = pytest.importorskip("pandas")
    triples = [(query, item, grade) for query, items in QRELS.items() for item, grade in items.items()]
    path = tmp_path / "qrels.txt"
    path.write_text("".join(f"{query} 0 {item}\t{grade}\n" for query, item, grade in triples) + "\n")
    frame = pandas.DataFrame(triples, columns=["query_id", "doc_id", "relevance"])
    for qrels in (QRELS, triples, path, str(path), frame):
        relevance = Relevance.from_qrels(qrels, ["q2", "q0", "q1"], ["c", "b", "a"])
        every = relevance.grades_of(np.tile(np.arange(3), (3, 1)))
        assert every.tolist() == [[3, 1, 0], [0, 0, 0], [0, 0, 2]]
        assert relevance.totals.tolist() == [2, 0, 1]


def test_the_grade_that_counts_is_chosen_and_the_own_copy_does_not_count():
    relevance = Relevance.from_qrels(QRELS, ["q1", "q2"], ["a", "b", "c"], at_least=2, exclude=[0, -1])
    assert relevance.totals.tolist() == [0, 1]
    assert relevance.own_grades.tolist() == [2, 0]


def test_nothing_relevant_at_all_is_told():
    relevance = Relevance.from_qrels({"q": {"a": 0}}, ["q"], ["a"])
    assert str(relevance) == (
        "1 query, 1 gallery item, 0 relevant items for a query on average; nothing is relevant to 1 of the queries."
    )
    assert relevance.to_dict()["without_relevant"] == 1
    assert relevance.grades_of(np.array([[0]])).tolist() == [[0]]


def labels(*arguments, **options):
    return lambda: Relevance.from_labels(*arguments, **options)


def qrels(judgements, query_ids=("q",), gallery_ids=("a", "b"), **options):
    return lambda: Relevance.from_qrels(judgements, query_ids, gallery_ids, **options)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            labels([1, 2], ["1", "2"]),
            "query_labels holds int64 values and gallery_labels text values; pass one type for both",
        ),
        (
            labels([1, None], [1, 2]),
            "query_labels has 1 missing value (None or NaN), first at position 1; remove these "
            "samples from all arrays or give them a value",
        ),
        (
            labels([1], [1, 2], exclude=[2]),
            "exclude names 1 row outside the gallery's 2, first at query 0 (2); pass rows from 0 to 1, or -1 for none",
        ),
        (
            qrels({"q": {"a": 1}, "p": {"b": 1}}),
            "qrels names 1 query id not in query_ids, first 'p'; add them to query_ids or leave their judgements out",
        ),
        (
            qrels({"q": {"x": 1, "y": 0}}),
            "qrels names 2 item ids not in gallery_ids, first 'x'; add them to gallery_ids or "
            "leave their judgements out",
        ),
        (
            qrels({"q": {"a": 1}}, gallery_ids=["a", "b", "a"]),
            "gallery_ids repeats 1 id, first 'a'; give every row its own",
        ),
        (qrels([("q", "a", 1), ("q", "a", 0)]), "qrels row 1 judges item 'a' for query 'q' twice; keep one grade"),
        (qrels([("q", "a")]), "qrels row 0 is ('q', 'a'); pass triples (query, item, grade)"),
        (qrels([("q", "a", "high")]), "qrels row 0 has the grade 'high'; pass finite numbers"),
        (qrels([("q", "a", float("nan"))]), "qrels row 0 has the grade nan; pass finite numbers"),
        (qrels({}), "qrels is empty; pass at least one judgement"),
        (qrels({"q": ["a"]}), "qrels['q'] is a list; pass a mapping from items to grades"),
        (qrels(3), "qrels is a int; pass a mapping, triples, a data frame or a path"),
        (qrels({"q": {"a": 1}}, at_least="x"), "at_least is 'x'; pass a grade above 0, such as 1"),
        (qrels({"q": {"a": 1}}, at_least=0), "at_least is 0; pass a grade above 0, such as 1"),
    ],
)
def test_mistakes(made, sentence):
    with pytest.raises(InputError) as caught:
        made()
    assert str(caught.value) == sentence


def test_a_file_that_is_no_qrels_file_is_refused_with_its_line(tmp_path):
    path = tmp_path / "qrels.txt"
    path.write_text("q 0 a 1\nq a 1\n")
    with pytest.raises(InputError, match=r"qrels line 2 of .* has 3 fields; TREC's format is 'query iteration item"):
        Relevance.from_qrels(path, ["q"], ["a"])
    with pytest.raises(InputError, match="qrels can't be read from"):
        Relevance.from_qrels(tmp_path / "none.txt", ["q"], ["a"])


def test_hits_of_other_queries_or_another_gallery_are_refused():
    relevance = Relevance.from_labels([1, 2], [1, 2])
    with pytest.raises(InputError, match="relevance 2 queries; pass hits of the same queries"):
        relevance.grades_of(np.zeros((3, 1), dtype=np.int64))
    with pytest.raises(InputError, match="rows names row 2 and relevance knows 2 gallery items"):
        relevance.grades_of(np.full((2, 1), 2))
