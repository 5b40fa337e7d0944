"""The story that ``make demo`` tells: a better model that may not ship, and the same one trained congruently.

``python -m segue.demo`` trains a champion and a challenger on real pictures, compares them, puts the update before a
gate that it fails, and writes the report with the pictures whose answers broke. Then it trains the challenger once more
so that it keeps what the champion got right, judges that one as well, and shows both reports side by side. Needs the
extra ``demo``.
"""
