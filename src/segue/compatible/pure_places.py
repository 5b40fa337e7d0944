"""Places in the old space around which a class is among itself: where its new queries do well to go."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.cluster.vq import kmeans2
from torch import Tensor

from segue.compatible.checks import check_count, check_number
from segue.compatible.embeddings import unit
from segue.compatible.losses.old_neighbours import OldNeighbours
from segue.compatible.stored import read_stored, refuse_zero_vectors

TEMPERATURE = 0.1
RATE = 0.05
MOVED = 4
"""How often each place is moved at random, at each step."""
AT_ONCE = 1024
"""Places that climb together, so that memory does not grow with the classes."""


@dataclass(frozen=True, eq=False)
class PurePlaces:
    """Places of every class that has stored vectors.

    Attributes:
        directions: Their directions in the old space, ``(p, d_old)`` of length 1.
        classes: The class of each, ``(p,)`` ascending.
    """

    directions: Tensor
    classes: Tensor

    def nearest(self, embeddings_old: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Give each sample the place of its class that is nearest to its own old embedding.

        Args:
            embeddings_old: Old embeddings, ``(n, d_old)``; zeros for a sample without one, which gets the place
                that most of its class's others get.
            labels: The class of each, ``(n,)``.

        Returns:
            The directions, ``(n, d_old)``, and which samples have one, ``(n,)``: the others' classes have no place, and
            their rows hold zeros.
        """
        directions = self.directions.to(embeddings_old.dtype)
        known = embeddings_old.any(dim=1)
        targets, found = torch.zeros_like(embeddings_old), torch.isin(labels, self.classes)
        for name in torch.unique(labels[found]):
            own, members = directions[self.classes == name], (labels == name).nonzero().squeeze(1)
            chosen = (embeddings_old[members] @ own.T).argmax(dim=1)
            seen = chosen[known[members]]
            most = int(torch.bincount(seen).argmax()) if len(seen) else 0
            targets[members] = own[chosen.where(known[members], torch.tensor(most))]
        return targets, found


def pure_places(
    embeddings_old: Any, labels: Any, *, per_class: int = 8, spread: float = 0.6, steps: int = 75
) -> PurePlaces:
    """Find the places in the old space around which stored vectors are of one class.

    The centres of a class's k-means clusters climb the objective of :class:`segue.compatible.losses.OldNeighbours`: the
    probability that what is found around a place, a little to each side, is of the class. Where two classes overlap in
    the old space, as those do that the old model never learned to tell apart, a mean lies in the middle of both; these
    places lie where one class is by itself, if there is such a region. Several places for a class do not stake all of
    its queries on what the gallery holds in one of them. Our own.

    The draws are torch's global generator's.

    Args:
        embeddings_old: The old model's stored vectors, ``(n, d_old)``.
        labels: The class of each, ``(n,)`` integers.
        per_class: Most places of a class, at least 1.
        spread: How far around a place is looked, as the loss has it.
        steps: Steps of the climb, at least 1.

    Returns:
        The places.

    Raises:
        InputError: If an argument is not as described.

    Example:
        To the right class 0 lies by itself, above it is mixed with class 1.

        >>> _ = torch.manual_seed(0)
        >>> stored = [[3.0, 0.0], [3.0, 0.1], [0.1, 3.0], [0.0, 3.0], [-0.1, 3.0]]
        >>> places = pure_places(stored, [0, 0, 0, 1, 1], per_class=1)
        >>> (places.directions[0, 0] > 0.8).item()
        True
    """
    check_count("per_class", per_class)
    check_number("spread", spread, 0)
    check_count("steps", steps)
    vectors, classes = read_stored(embeddings_old, labels)
    refuse_zero_vectors(vectors)
    directions = unit(vectors)
    groups = [(int(name), _centres(directions[classes == name], per_class)) for name in torch.unique(classes)]
    starts = torch.cat([centres for _, centres in groups])
    owners = torch.cat([torch.full((len(centres),), name) for name, centres in groups])
    loss = OldNeighbours(vectors, classes, temperature=TEMPERATURE, spread=spread)
    climbed = [
        _climb(loss, part, owner, steps)
        for part, owner in zip(torch.split(starts, AT_ONCE), torch.split(owners, AT_ONCE), strict=True)
    ]
    return PurePlaces(torch.cat(climbed), owners)


def _centres(members: Tensor, most: int) -> Tensor:
    """Return the centres of clusters of one class, or its members where there are few."""
    members = torch.unique(members, dim=0)
    if len(members) <= most:
        return members
    seed = int(torch.randint(2**31, ()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty cluster: its centre stays, and is as good a start
        centres, _ = kmeans2(members.numpy(), most, iter=20, minit="++", rng=np.random.default_rng(seed))
    kept = torch.from_numpy(centres)
    return kept[torch.linalg.vector_norm(kept, dim=1) > 1e-6]


def _climb(loss: OldNeighbours, starts: Tensor, owners: Tensor, steps: int) -> Tensor:
    """Return the places after a climb to where the loss is smaller around them."""
    places = starts.to(loss.stored.dtype).requires_grad_()
    optimizer = torch.optim.Adam([places], lr=RATE)
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(unit(places).repeat(MOVED, 1), labels=owners.repeat(MOVED)) * len(places)
        value.backward()
        optimizer.step()
    return unit(places.detach()).to(starts.dtype)
