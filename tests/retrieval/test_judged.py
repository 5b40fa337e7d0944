import numpy as np
import pytest

from segue.errors import InputError
from segue.retrieval import Hits, Relevance, average_precision, cmc, judge, recall, search


def hits_of(*rows):
    return Hits(np.array(rows), np.tile(np.arange(len(rows[0]), 0, -1.0), (len(rows), 1)))


def test_ranks_and_grades_of_what_is_relevant():
    judged = judge(hits_of([2, 0, 1], [0, 1, 2]), Relevance.from_labels([5, 7], [5, 7, 5, 5]))
    assert judged.query.tolist() == [0, 0, 1]
    assert judged.rank.tolist() == [1, 2, 2]
    assert judged.depth == 3


def test_a_search_through_the_whole_gallery_may_be_cut_anywhere():
    gallery = np.eye(3, dtype=np.float32)
    judged = judge(search(gallery, gallery, 5), Relevance.from_labels([0, 1, 2], [0, 1, 2]))
    assert judged.depth is None
    assert recall(judged, 100).tolist() == [1, 1, 1]


def test_hits_that_are_not_deep_enough_are_refused():
    judged = judge(hits_of([2, 0]), Relevance.from_labels([5], [5, 7, 5, 5]))
    with pytest.raises(InputError, match="k is 3, but the hits go down to rank 2 only; search with k=3 or more"):
        cmc(judged, 3)
    with pytest.raises(InputError, match="k is 0; pass a whole number of at least 1"):
        average_precision(judged, 0)


def test_an_own_copy_among_the_hits_is_refused():
    relevance = Relevance.from_labels([5, 7], [5, 7, 5], exclude=[-1, 1])
    with pytest.raises(InputError, match="hits hold the own copies of 1 query, first of query 1, which relevance"):
        judge(hits_of([0, 2], [1, 0]), relevance)
