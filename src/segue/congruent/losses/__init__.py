"""Positive-congruent losses: ``loss(new_logits, old_logits, labels)``, one file each."""
