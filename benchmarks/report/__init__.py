"""Measurements of ``segue.report``."""
