import numpy as np
import pytest

from segue.errors import InputError
from segue.retrieval import Relevance, search, tpir_at_fpir
from tests.retrieval import slow


@pytest.mark.parametrize("rank", [1, 3])
def test_it_agrees_with_loops(rank, rng):
    gallery, queries = rng.normal(size=(60, 5)), rng.normal(size=(80, 5))
    queries[:40] = gallery[:40] + rng.normal(0, 0.5, size=(40, 5))
    held, asked = np.arange(60) // 2, np.concatenate([np.arange(40) // 2, np.arange(100, 140)])
    found = tpir_at_fpir(search(queries, gallery, 5), Relevance.from_labels(asked, held), 0.1, rank=rank)
    rankings = [slow.ranking(query, gallery, "cosine")[:rank] for query in queries]
    mates = [
        max((score for score, row in line if held[row] == asked[query]), default=-np.inf)
        for query, line in enumerate(rankings[:40])
    ]
    threshold, tpir = slow.true_accepts(mates, [line[0][0] for line in rankings[40:]], 0.1)
    assert found.threshold == pytest.approx(threshold, abs=1e-7)
    assert found.tpir.value == pytest.approx(tpir)
    assert found.fpir.value == pytest.approx(0.1)
    assert found.mated.tolist() == list(range(40))
    assert found.tpir.low < tpir < found.tpir.high


def test_a_closed_or_an_empty_set_is_refused():
    hits = search(np.eye(3), np.eye(3), 1)
    with pytest.raises(InputError, match="relevance has no query without a mate; an open set needs queries"):
        tpir_at_fpir(hits, Relevance.from_labels([0, 1, 2], [0, 1, 2]), 0.1)
    with pytest.raises(InputError, match="relevance has no query with a mate; pass queries whose item"):
        tpir_at_fpir(hits, Relevance.from_labels([5, 6, 7], [0, 1, 2]), 0.1)
    with pytest.raises(InputError, match=r"fpir is 0\.1, which 1 query without a mate can't show; pass at least 10"):
        tpir_at_fpir(hits, Relevance.from_labels([0, 1, 7], [0, 1, 2]), 0.1)
    with pytest.raises(InputError, match="k is 2, but the hits go down to rank 1 only"):
        tpir_at_fpir(hits, Relevance.from_labels([0, 1, 7], [0, 1, 2]), 0.5, rank=2)
