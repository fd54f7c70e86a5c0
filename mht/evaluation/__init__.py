"""Predictions of a model, scored: by rules first, by judges next, by likeness of words last."""
