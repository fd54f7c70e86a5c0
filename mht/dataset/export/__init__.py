"""One file a format of files that a trainer reads.

Each has `Params`, `needs_rejected(params)`, and a `Writer(params, sink)` that takes a shard at a time with `write`,
and whose `close(splits)` finishes the files and returns the README's text.
"""
