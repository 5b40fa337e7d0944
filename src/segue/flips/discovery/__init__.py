"""Readable slices in which flips concentrate, found on one part of the samples and confirmed on another."""

from segue.flips.discovery.cross_screening import discover
from segue.flips.discovery.discovered import DiscoveredSlice, Discovery

__all__ = ["DiscoveredSlice", "Discovery", "discover"]
