"""One file a kind of hallucination: `perturb(reading, fact, rng, params)` makes one thing of one fact false.

None means that the fact has no such edit, whatever is drawn: it is not asked again. `forward` and `backward` of an Edit
are the chances of the edit and of its inverse in the mirrored reading, so that detailed balance can weigh them.
"""
