"""Measurements of ``segue.adapters``."""
