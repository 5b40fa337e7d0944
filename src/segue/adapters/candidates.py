"""The maps that are worth trying, on either side of a search; all of them are fitted in seconds."""

from __future__ import annotations

from segue.adapters.adjoint import Adjoint
from segue.adapters.base import Adapter
from segue.adapters.class_aware import ClassAware
from segue.adapters.direction_adjoint import DirectionAdjoint
from segue.adapters.ensemble import Ensemble
from segue.adapters.kernel_adjoint import KernelAdjoint
from segue.adapters.kernel_ridge import KernelRidge
from segue.adapters.local_mixture import LocalMixture
from segue.adapters.procrustes import Procrustes
from segue.adapters.ridge import Ridge
from segue.adapters.spherical import Slerp
from segue.adapters.trial import Side

# A local mixture learns from the pairs of each region.
PAIRS_PER_REGION = 50


def gallery_maps(pairs: int) -> tuple[Adapter, ...]:
    """Return maps of a stored gallery into the new space.

    Args:
        pairs: How many pairs there are to learn from.

    Returns:
        Unfitted adapters, the simple ones first.
    """
    local = LocalMixture(regions=max(2, min(16, pairs // PAIRS_PER_REGION)))
    return (
        Procrustes(),
        Ridge(strength=0.1),
        Ridge(strength=1.0),
        KernelRidge(width=0.3),
        KernelRidge(width=0.4),
        KernelRidge(width=0.6),
        KernelRidge(width=1.0),
        KernelRidge(width=0.4, strength=0.3),
        local,
        Ensemble(adapters=[KernelRidge(width=0.3), local]),
        Ensemble(adapters=[KernelRidge(width=0.4), local]),
    )


def query_maps(pairs: int) -> tuple[Adapter, ...]:
    """Return maps of new queries into the old space, for a gallery that stays as it is.

    Args:
        pairs: How many pairs there are to learn from.

    Returns:
        Unfitted adapters, the simple ones first.
    """
    return (
        Procrustes(),
        Ridge(strength=0.1),
        Adjoint(strength=0.1),
        DirectionAdjoint(strength=0.1),
        KernelAdjoint(width=0.4),
        KernelAdjoint(width=0.6),
        KernelAdjoint(width=0.9),
        KernelAdjoint(width=0.6, anchor=0.2),
        KernelAdjoint(width=0.9, anchor=0.2),
    )


def blended_maps(pairs: int) -> tuple[Slerp, ...]:
    """Return maps of new queries that are blended with the old ones, where both encoders are run at query time.

    Args:
        pairs: How many pairs there are to learn from.

    Returns:
        Unfitted adapters, the simple ones first.
    """
    maps = (Procrustes(), Adjoint(strength=0.1), KernelAdjoint(width=0.6, anchor=0.2), KernelAdjoint(width=0.9))
    return tuple(Slerp(adapter=adapter, amount=amount) for adapter in maps for amount in (0.3, 0.5, 0.7))


def labelled_maps(side: Side, pairs: int) -> tuple[Adapter, ...]:
    """Return maps that learn from the classes of the pairs, where they are known.

    Args:
        side: What is mapped.
        pairs: How many pairs there are to learn from.

    Returns:
        Unfitted adapters.
    """
    if side == "queries":
        adjoint = KernelAdjoint(width=0.6, anchor=0.2)
        return tuple(ClassAware(adapter=adjoint, amount=amount) for amount in (1.0, 2.0, 4.0))
    near = KernelRidge(width=0.3)
    local = LocalMixture(regions=max(2, min(16, pairs // PAIRS_PER_REGION)))
    return (
        ClassAware(adapter=near, amount=0.5),
        ClassAware(adapter=near, amount=1.0),
        ClassAware(adapter=Ensemble(adapters=[near, local]), amount=0.5),
    )
