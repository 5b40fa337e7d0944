"""Which way to a new embedding model do the numbers support: none, a learned map, training, or re-embedding?

From one calibration sample, items that both models have embedded, :func:`advise` measures the options and says which
one the numbers support::

    print(advise(old, new, labels=labels, gallery_old=stored, gallery_labels=stored_labels))

"Change nothing" and "these data can't tell" are answers. The rules are in :mod:`segue.advise.rules`.
"""

from __future__ import annotations

from segue.advise.advice import Advice
from segue.advise.advising import advise
from segue.advise.cost import Cost
from segue.advise.option import Option, Way

__all__ = ["Advice", "Cost", "Option", "Way", "advise"]
