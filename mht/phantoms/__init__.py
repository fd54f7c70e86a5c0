"""Synthetic radiographs with exact ground truth."""
