"""The leakage gate: no picture of a benchmark gets into a dataset unseen."""
