"""The build phase: plan, stages, shards, commits, books."""
