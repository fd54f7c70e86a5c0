"""One script a claim; each prints one table. Run them from the repository's root: `python -m benchmarks.build`."""
