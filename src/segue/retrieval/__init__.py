"""May new queries search the old gallery, and is the new embedding model better at all?

The question before an upgrade is answered by the cross test: old and new queries on the old gallery, new queries on the
new one, on the same queries and with intervals::

    relevance = Relevance.from_labels(query_labels, gallery_labels, exclude=own_rows)
    print(cross_test(queries_old, queries_new, gallery_old, gallery_new, relevance, measure="cmc@1"))

What else an upgrade asks:

* ``retrieval_flips`` and ``retrieval_score_flips``: which queries lose what they found, by slice, for a gate to decide.
* ``backfill_curve``: how good search is while the gallery is re-embedded, and in which order it is best done
  (``random_order`` is what any order has to beat, ``area_difference`` says by how much).
* ``at_old_threshold``: whether the threshold for "the same person" still holds.
* ``cluster_study``: which items leave the old cluster (album, identity) that they are in.
* ``old_head_accuracy``: what the old classifier makes of new embeddings.

Underneath, a search gives hits, relevance says which of them were worth finding, a metric turns both into one number
per query, and an estimate into a mean with an interval::

    hits = search(queries, gallery, k=10, metric="cosine", exclude=own_rows)
    judged = judge(hits, relevance)
    print(mean_over_queries(recall(judged, k=10)))

Metrics of whole rankings (mAP) come from ``full_average_precision`` or, several at once, from ``measure_all``.
``tar_at_far`` measures pairs, ``tpir_at_fpir`` a search in which some queries have nothing to find. The numbers per
query are kept, so that two systems are compared on the same queries (``mean_difference``).

Everything is numpy in, values out. Galleries may be memory mapped, and nothing is ever a full table of queries against
gallery.
"""

from __future__ import annotations

from segue.retrieval.agreement import BCubed, adjusted_rand, bcubed
from segue.retrieval.backfill import area_difference, backfill_curve, random_order
from segue.retrieval.backfill_result import BackfillCurve
from segue.retrieval.cluster_result import ClusterStudy
from segue.retrieval.clusters import cluster_study
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
from segue.retrieval.nearest_centroid import Centroids, assign, centroids
from segue.retrieval.old_head import old_head_accuracy
from segue.retrieval.relevance import Relevance
from segue.retrieval.score_flips import retrieval_score_flips
from segue.retrieval.scores import pair_scores
from segue.retrieval.threshold_study import ThresholdStudy
from segue.retrieval.thresholds import at_old_threshold, threshold_at_far

__all__ = [
    "BCubed",
    "BackfillCurve",
    "Centroids",
    "ClusterStudy",
    "Compatible",
    "CrossTest",
    "Hits",
    "Identification",
    "Judged",
    "Relevance",
    "ThresholdStudy",
    "Verification",
    "adjusted_rand",
    "area_difference",
    "assign",
    "at_old_threshold",
    "average_precision",
    "backfill_curve",
    "bcubed",
    "centroids",
    "cluster_study",
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
    "old_head_accuracy",
    "pair_scores",
    "precision",
    "query_values",
    "random_order",
    "recall",
    "reciprocal_rank",
    "retrieval_flips",
    "retrieval_score_flips",
    "search",
    "tar_at_far",
    "threshold_at_far",
    "tpir_at_fpir",
]
