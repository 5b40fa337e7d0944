"""The story that ``make demo`` tells: a better model that may not ship.

``python -m segue.demo`` trains a champion and a challenger on real pictures, compares them, puts the update before a
gate that it fails, and writes the report with the pictures whose answers broke. Needs the extra ``demo``.
"""
