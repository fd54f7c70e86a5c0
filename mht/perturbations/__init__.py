"""One file a kind of hallucination: `perturb(reading, rng, params)` makes one thing of one fact false."""
