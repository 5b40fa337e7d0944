"""Train the successor: sweep the strength of the constraint, show the Pareto front, pick the point by a rule."""
