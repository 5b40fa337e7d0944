"""Train the new embedding model so that the vectors the old one stored stay usable."""
