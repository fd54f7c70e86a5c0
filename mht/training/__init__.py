"""The training phase: which example is learnt when, a step, and the workers that take it."""
