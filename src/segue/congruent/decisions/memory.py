"""How much of the earlier answers still counts: models err alike, so their answers are not independent evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.congruent.decisions.class_sets import class_set
from segue.congruent.decisions.confusion import SMOOTHING, Confusion
from segue.congruent.decisions.posterior import posterior
from segue.congruent.decisions.reading import log_prior
from segue.errors import InputError
from segue.flips.checks import class_column, same_length

WEIGHTS = tuple((np.arange(21) / 20).tolist())


@dataclass(frozen=True)
class Memory:
    r"""The weight of all earlier evidence when a new generation answers, fitted on labelled source samples.

    Träuble et al. multiply the likelihoods of all answers as if models erred independently. They err alike, so the
    belief becomes surer than it may be, and late, better models can't change it. Here the earlier evidence is
    tempered with each new answer, as in Bayesian forgetting:

    .. math:: \log p_t(k) = m_t \log p_{t-1}(k) + \log \pi^t(\hat y^t, k) + \text{const}

    and :math:`m_t` is what gives the true labels of the source samples the highest probability. This is not in the
    paper; with :math:`m_t = 1` it is the paper's rule.

    Attributes:
        weights: :math:`m_t` for each update, oldest first, in [0, 1].
        log_loss: Mean ``-log p(true label)`` of the source samples after the last generation, in nats.
        log_loss_of_all: The same where all evidence counts in full.

    Example:
        >>> draws = np.random.default_rng(0)
        >>> labels = draws.integers(0, 3, 3000)
        >>> said = np.where(draws.random(3000) < 0.7, labels, draws.integers(0, 3, 3000))
        >>> Memory.fit(labels, [said, said]).weight  # the second says nothing new: the first is forgotten
        0.0
        >>> other = np.where(draws.random(3000) < 0.7, labels, draws.integers(0, 3, 3000))
        >>> Memory.fit(labels, [said, other]).weight >= 0.9  # independent: both count
        True
    """

    weights: tuple[float, ...]
    log_loss: float
    log_loss_of_all: float

    @property
    def weight(self) -> float:
        """The weight for the update by the last generation."""
        return self.weights[-1]

    @classmethod
    def fit(
        cls,
        labels: ArrayLike,
        answers: Sequence[ArrayLike],
        *,
        classes: Sequence[Any] | None = None,
        smoothing: float = SMOOTHING,
        prior: Mapping[Any, float] | None = None,
    ) -> Memory:
        """Fit the weights, each after the ones before it.

        Confusions are estimated on one half of the samples for the other, so that no sample vouches for itself.

        Args:
            labels: The truth of labelled source samples, ``(m,)``.
            answers: Each generation's answers on them, oldest first, the newest included, ``(m,)`` each.
            classes: All classes; by default those that occur.
            smoothing: As in :meth:`Confusion.fit`.
            prior: How frequent each class is; all equally by default.

        Returns:
            The weights. Fitted on the same samples, those of earlier generations do not change when one is added.

        Raises:
            InputError: If there are fewer than two generations or four samples, or anything is not as in
                :meth:`Confusion.fit`.
        """
        if len(answers) < 2:
            raise InputError("answers holds fewer than two generations; pass the earlier ones' and the newest's")
        truth = class_column(labels, "labels")
        said = [class_column(one, f"answers[{place}]") for place, one in enumerate(answers)]
        same_length({"labels": truth} | {f"answers[{place}]": one for place, one in enumerate(said)})
        if len(truth) < 4:
            raise InputError(
                f"labels holds {len(truth)} samples; pass some hundreds, so that halves can judge each other"
            )
        found = class_set(np.concatenate([truth, *said]) if classes is None else classes)
        evidence = [_crossed(truth, one, found, smoothing) for one in said]
        before = log_prior(prior, found)
        row, place = np.arange(len(truth)), np.searchsorted(found, truth)

        def loss(likelihood: NDArray[np.float64]) -> float:
            return -float(posterior(likelihood, before)[row, place].mean())

        belief, weights = evidence[0], []
        for newest in evidence[1:]:
            losses = [loss(weight * belief + newest) for weight in WEIGHTS]
            weights.append(WEIGHTS[int(np.argmin(losses))])
            belief = weights[-1] * belief + newest
        return cls(tuple(weights), loss(belief), loss(np.sum(evidence, axis=0)))

    def to_dict(self) -> dict[str, Any]:
        """Return every number by name, ready for JSON."""
        return {"weights": list(self.weights), "log_loss": self.log_loss, "log_loss_of_all": self.log_loss_of_all}

    def __str__(self) -> str:
        """Return in words what was found."""
        return (
            f"When the newest generation answers, earlier evidence counts {self.weight:g} of its weight. Mean log loss "
            f"of the labelled samples: {self.log_loss:.3f} nats, {self.log_loss_of_all:.3f} if all evidence counted in "
            f"full."
        )


def _crossed(truth: NDArray[Any], said: NDArray[Any], classes: NDArray[Any], smoothing: float) -> NDArray[np.float64]:
    # The log-likelihood of each answer, with the confusion of the half that the sample is not in.
    half = np.random.default_rng(0).permutation(len(truth)) % 2 == 0
    found = np.empty((len(truth), len(classes)))
    for part in (half, ~half):
        confusion = Confusion.fit(truth[~part], said[~part], classes=classes.tolist(), smoothing=smoothing)
        found[part] = confusion.log_likelihood(np.searchsorted(classes, said[part]))
    return found
