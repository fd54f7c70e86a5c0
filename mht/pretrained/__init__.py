"""Checkpoints that others published: is the folder safe and whole, and the model in memory."""
