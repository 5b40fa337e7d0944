"""The one training loop that all training rooms share."""
