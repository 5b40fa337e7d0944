"""Tasks with planted regressions, and how the peer is run on them."""
