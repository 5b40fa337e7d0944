"""What is measured of a successor on test pictures: the cross test, and what its users' old decisions become."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmarks.compatible.scenarios import Case
from segue.compatible.embeddings import common_part
from segue.retrieval import CrossTest, Relevance, query_values
from segue.retrieval.clusters import cluster_study
from segue.retrieval.old_head import old_head_accuracy
from segue.retrieval.thresholds import at_old_threshold, threshold_at_far
from segue.training import outputs_of

MEASURES = ("cmc@1", "map")
FAR = 0.01
ASKED = 1000
"""Queries whose pairs with the gallery are held against the old threshold; all of them would take minutes."""

Values = dict[str, NDArray[np.float64]]


class Judge:
    """Measures successors of one case on its test pictures.

    Args:
        case: The case.
        paragon: The network trained without a constraint, that was picked on validation samples.
    """

    def __init__(self, case: Case, paragon: nn.Module) -> None:
        self.case = case
        self.relevance = Relevance.from_labels(case.queries[1].numpy(), case.gallery[1].numpy())
        self.queries_old, self.gallery_old = (vectors.numpy() for vectors in case.old_vectors)
        self.old_old = self._values(self.queries_old, self.gallery_old)
        self.paragon = self._values(*self._vectors(paragon))
        # The threshold that was in use: set on old vectors of validation samples.
        labels = case.update.validation[1].numpy()
        stored = outputs_of(case.old, case.update.validation).numpy()
        others = Relevance.from_labels(labels, labels, exclude=np.arange(len(labels)))
        self.threshold = threshold_at_far(stored, stored, others, FAR)

    def row(self, network: nn.Module) -> dict[str, Any]:
        """Return every number of a successor.

        Args:
            network: The new network.

        Returns:
            Numbers by name.
        """
        queries, gallery = self._vectors(network)
        towards_old = self._towards_old(network)
        new_old, new_new = self._values(towards_old, self.gallery_old), self._values(queries, gallery)
        told: dict[str, Any] = {}
        for measure in MEASURES:
            test = CrossTest.of(
                self.old_old[measure], new_old[measure], new_new[measure], self.paragon[measure], measure=measure
            )
            told |= {f"{measure} {name}": cell.value for name, cell in test.cells.items()}
            for name in ("criterion", "update_gain", "cost"):
                found = getattr(test, name)
                told |= {
                    f"{measure} {name}{end}": getattr(found, at)
                    for end, at in (("", "value"), (" low", "low"), (" high", "high"))
                }
        return told | self._decisions(towards_old)

    def _decisions(self, towards_old: NDArray[np.float32]) -> dict[str, float]:
        labels, few = self.case.queries[1].numpy(), slice(0, ASKED)
        accepted = at_old_threshold(
            self.queries_old[few],
            towards_old[few],
            self.gallery_old,
            self.gallery_old,
            self.relevance.select(np.arange(min(ASKED, len(labels)))),
            threshold=self.threshold,
        )
        head = self.case.old_head
        classified = old_head_accuracy(
            head.weights.numpy(),
            None if head.bias is None else head.bias.numpy(),
            self.queries_old,
            towards_old,
            labels,
            classes=head.rows.class_of_row.tolist(),
            unknown="count apart",
        )
        both = np.concatenate([self.gallery_old, self.queries_old])
        clusters = cluster_study(
            both,
            np.concatenate([self.gallery_old, towards_old]),
            np.concatenate([self.case.gallery[1].numpy(), labels]),
            held_out=np.arange(len(both)) >= len(self.gallery_old),
        )
        return {
            "false_accepts_old": float(accepted.false_accepts.old.value),
            "false_accepts_new": float(accepted.false_accepts.new.value),
            "false_rejects_old": float(accepted.false_rejects.old.value),
            "false_rejects_new": float(accepted.false_rejects.new.value),
            "old_head_on_old": float(classified.accuracy_old.value),
            "old_head_on_new": float(classified.accuracy_new.value),
            "clusters_old_bcubed_f1": clusters.old.bcubed.f1,
            "clusters_new_bcubed_f1": clusters.new.bcubed.f1,
            "clusters_old_adjusted_rand": clusters.old.adjusted_rand,
            "clusters_new_adjusted_rand": clusters.new.adjusted_rand,
        }

    def _vectors(self, network: nn.Module) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return outputs_of(network, self.case.queries).numpy(), outputs_of(network, self.case.gallery).numpy()

    def _towards_old(self, network: nn.Module) -> NDArray[np.float32]:
        found: NDArray[np.float32] = common_part(
            outputs_of(network, self.case.queries), self.gallery_old.shape[1]
        ).numpy()
        return found

    def _values(self, queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> Values:
        return {measure: query_values(measure, queries, gallery, self.relevance) for measure in MEASURES}
