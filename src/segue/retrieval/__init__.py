"""Is the new embedding model better, and with which gallery?

A search gives hits, relevance says which of them were worth finding, a metric turns both into one number per query, and
an estimate into a mean with an interval::

    hits = search(queries, gallery, k=10, metric="cosine", exclude=own_rows)
    relevance = Relevance.from_labels(query_labels, gallery_labels, exclude=own_rows)
    judged = judge(hits, relevance)
    print(mean_over_queries(recall(judged, k=10)))

Metrics of whole rankings (mAP) come from ``full_average_precision`` or, several at once, from ``measure_all``.
``cross_test`` asks whether a new model's queries may search the old gallery, and ``retrieval_flips`` which queries an
update loses. ``tar_at_far`` measures pairs, ``tpir_at_fpir`` a search in which some queries have nothing to find. The
numbers per query are kept, so that two systems are compared on the same queries (``mean_difference``).

Everything is numpy in, values out. Galleries may be memory mapped, and nothing is ever a full table of queries against
gallery.
"""

from __future__ import annotations

from segue.retrieval.cross import cross_test
from segue.retrieval.cross_result import Compatible, CrossTest
from segue.retrieval.estimates import mean_difference, mean_over_queries
from segue.retrieval.flips import found, retrieval_flips
from segue.retrieval.full_ranking import full_average_precision, measure_all
from segue.retrieval.hits import Hits
from segue.retrieval.judged import Judged, judge
from segue.retrieval.measures import query_values
from segue.retrieval.metrics.average_precision import average_precision
from segue.retrieval.metrics.cutoff import cmc, precision, recall
from segue.retrieval.metrics.gain import exponential_gain, linear_gain, ndcg
from segue.retrieval.metrics.identification import Identification, tpir_at_fpir
from segue.retrieval.metrics.reciprocal_rank import reciprocal_rank
from segue.retrieval.metrics.verification import Verification, tar_at_far
from segue.retrieval.nearest import search
from segue.retrieval.relevance import Relevance
from segue.retrieval.score_flips import retrieval_score_flips
from segue.retrieval.scores import pair_scores

__all__ = [
    "Compatible",
    "CrossTest",
    "Hits",
    "Identification",
    "Judged",
    "Relevance",
    "Verification",
    "average_precision",
    "cmc",
    "cross_test",
    "exponential_gain",
    "found",
    "full_average_precision",
    "judge",
    "linear_gain",
    "mean_difference",
    "mean_over_queries",
    "measure_all",
    "ndcg",
    "pair_scores",
    "precision",
    "query_values",
    "recall",
    "reciprocal_rank",
    "retrieval_flips",
    "retrieval_score_flips",
    "search",
    "tar_at_far",
    "tpir_at_fpir",
]
