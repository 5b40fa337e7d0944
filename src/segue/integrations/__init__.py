"""Segue inside the tools that people already run: one module per tool, each needing only that tool."""
