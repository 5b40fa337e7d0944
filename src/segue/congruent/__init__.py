"""Train the new classifier so that it keeps what the old one got right, or update predictions without training."""
