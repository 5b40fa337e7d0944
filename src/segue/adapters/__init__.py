"""Neither model can be retrained: can a learned map bridge the two spaces?

An adapter is fitted on pairs, items that both models have embedded, row by row the same. In which direction is a matter
of the order::

    adapter = Ridge(strength=0.1).fit(new, old)  # new queries search the old gallery as it is
    found = search(adapter.transform(new_queries), old_gallery, k=10)

    adapter = Ridge(strength=0.1).fit(old, new)  # the old gallery moves into the new space, its items unseen
    found = search(new_queries, adapter.transform(old_gallery), k=10)

``save_pretrained(folder)`` keeps a fitted one and ``Adapter.from_pretrained(folder)`` reads it. Kinds are imported when
they are first asked for: the closed forms need numpy and scipy, the trained ones torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.adapters.base import Adapter
from segue.adapters.kinds import KINDS, kind

if TYPE_CHECKING:
    from segue.adapters.ridge import Ridge as Ridge

__all__ = ["Adapter", "Ridge"]


def __getattr__(name: str) -> Any:
    # PEP 562: a kind is imported when it is first asked for.
    if name in KINDS:
        return kind(name)
    raise AttributeError(f"module 'segue.adapters' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
