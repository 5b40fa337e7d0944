"""The contestants of the scale benchmark, each a process of its own that prints what it found and how long it took."""
