"""Other packages, asked for the same maps."""
