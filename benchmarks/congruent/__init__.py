"""Measurements of ``segue.congruent``."""
