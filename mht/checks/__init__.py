"""One file a question asked of a pair: keep it, or a reason."""
