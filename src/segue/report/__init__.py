"""One self-contained HTML page that shows what an update breaks, to read, to sort through, to print and to send.

``write_report`` writes the page, ``render`` returns it; ``write_front`` draws the candidates of a training by accuracy
and negative flips. The pages ask the network for nothing.
"""

from __future__ import annotations

from segue.report.front import write_front
from segue.report.page import render, write_report

__all__ = ["render", "write_front", "write_report"]
