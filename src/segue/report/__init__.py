"""One self-contained HTML page that shows what an update breaks, to read, to sort through, to print and to send.

``write_report`` writes the page, ``render`` returns it. The page asks the network for nothing.
"""

from __future__ import annotations

from segue.report.page import render, write_report

__all__ = ["render", "write_report"]
