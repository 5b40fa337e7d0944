"""Measurements of ``segue.retrieval``."""
