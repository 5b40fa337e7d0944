"""The belief about the true label, given all answers: Bayes' rule in log space (Träuble et al., NeurIPS 2021)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Logs = NDArray[np.float64]


def posterior(log_likelihood: Logs, log_prior: Logs) -> Logs:
    r"""Return the logarithm of the posterior over the true label.

    .. math:: p(y = k \mid \hat y^{0:t}) \propto p(y = k) \prod_{s \le t} \pi^s(\hat y^s, k)

    Args:
        log_likelihood: Sum over all answers of ``log p(answer | true class)``, ``(n, classes)``.
        log_prior: ``log p(true class)``, ``(classes,)``.

    Returns:
        Natural logarithms; the exponentials of each row sum to 1, ``(n, classes)``.

    Example:
        >>> np.exp(posterior(np.log([[0.6, 0.2]]), np.log([0.5, 0.5]))).round(3).tolist()
        [[0.75, 0.25]]
    """
    joint = log_likelihood + log_prior
    normalised: Logs = joint - special.logsumexp(joint, axis=1, keepdims=True)
    return normalised


def entropy(log_posterior: Logs) -> Logs:
    r"""Return how uncertain each belief is: :math:`H = -\sum_k p_k \log p_k`, in nats.

    Args:
        log_posterior: Logarithms of the posterior, ``(n, classes)``.

    Returns:
        From 0 (certain) to ``log(classes)`` (nothing is known), ``(n,)``.

    Example:
        >>> entropy(np.log([[0.5, 0.5], [0.75, 0.25]])).round(3).tolist()
        [0.693, 0.562]
    """
    uncertain: Logs = -(np.exp(log_posterior) * log_posterior).sum(axis=1)
    return np.maximum(uncertain, 0.0)


def most_uncertain(uncertainty: Logs, budget: int, seed: int) -> NDArray[np.int64]:
    """Return the samples to ask the next model about: those with the highest entropy.

    Samples that got the same answers are equally uncertain; chance decides among them, so that no part of the data is
    preferred for where it stands.

    Args:
        uncertainty: Entropy of each sample, ``(n,)``.
        budget: How many samples, at most ``n``.
        seed: Seed of the chance.

    Returns:
        Positions, the most uncertain first, ``(budget,)``.

    Example:
        >>> most_uncertain(np.array([0.1, 0.6, 0.3]), budget=2, seed=0).tolist()
        [1, 2]
    """
    shuffled = np.random.default_rng(seed).permutation(len(uncertainty))
    # rounding must not decide among equals
    order = np.argsort(-np.round(uncertainty[shuffled], 9), kind="stable")
    return shuffled[order[:budget]].astype(np.int64)
