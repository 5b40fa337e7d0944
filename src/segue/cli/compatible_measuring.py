"""The pick of a compatible training on test samples: the cross test that nothing was chosen on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from segue.cli.searching import in_their_words
from segue.compatible.embeddings import common_part
from segue.compatible.recipes import Outcome, StoredEmbeddings, Update, Workshop
from segue.retrieval import CrossTest
from segue.retrieval.measures import query_values
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
        space = held.old_validation.shape[1]

        def values(queries: Tensor, gallery: Tensor) -> NDArray[Any]:
            return query_values(outcome.measure, queries.numpy(), gallery.numpy(), held.relevance)

        def embedded(network: nn.Module) -> Tensor:
            return outputs_of(network, data)

        new, paragon = embedded(outcome.model), embedded(outcome.paragon.network)
        return CrossTest.of(
            held.old_old,
            values(common_part(new, space), held.old_validation),
            values(new, new),
            values(paragon, paragon),
            measure=outcome.measure,
            metric="cosine",
        )
