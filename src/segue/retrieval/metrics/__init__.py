"""What a ranking is worth, query by query: one file per metric."""
