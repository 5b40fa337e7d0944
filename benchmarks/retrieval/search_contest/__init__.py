"""The two searches that are compared, each a process of its own, and the vectors they search."""
