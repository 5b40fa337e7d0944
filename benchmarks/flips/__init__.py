"""Measurements of ``segue.flips``."""
