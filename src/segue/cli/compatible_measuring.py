"""The pick of a compatible training on test samples: the cross test that nothing was chosen on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from segue.cli.searching import in_their_words
from segue.compatible.recipes import Outcome, StoredEmbeddings, Update, Workshop
from segue.compatible.recipes.measuring import measure_new
from segue.retrieval import CrossTest
from segue.training import outputs_of
from segue.training.data import as_data

if TYPE_CHECKING:
    from numpy.typing import NDArray


def tested(outcome: Outcome, update: Update, samples: Any, old: Tensor | None, told: str) -> CrossTest:
    """Measure the pick and the paragon on test samples, each of which searches all others.

    Args:
        outcome: What was picked.
        update: The update that it was picked for.
        samples: The test samples, in the form of the training data.
        old: The old model's embeddings of them, ``(t, d_old)``; ``None`` to ask the old model.
        told: What messages call these embeddings.

    Returns:
        The cross test.

    Raises:
        InputError: If samples or embeddings are not as described.
    """
    data = as_data(samples, "test")
    left = update.old
    if isinstance(left, StoredEmbeddings):
        left = StoredEmbeddings(left.train, left.validation if old is None else old, left.known)
    with in_their_words({"old.validation": told}):
        held = Workshop(replace(update, validation=data, old=left), outcome.measure, progress=False)
        old_vectors = held.old_validation

        def found_by(network: nn.Module) -> dict[str, NDArray[Any]]:
            return measure_new(outputs_of(network, data), old_vectors, outcome.measure, held.relevance).values

        pick, paragon = found_by(outcome.model), found_by(outcome.paragon.network)
        return CrossTest.of(
            held.old_old,
            pick["new_old"],
            pick["new_new"],
            paragon["new_new"],
            measure=outcome.measure,
            metric="cosine",
        )
