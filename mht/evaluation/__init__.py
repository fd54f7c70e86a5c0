"""The evaluation phase: a model and a benchmark to predictions, scores and a report."""
