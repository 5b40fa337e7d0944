"""Benchmarks of segue.compatible."""
