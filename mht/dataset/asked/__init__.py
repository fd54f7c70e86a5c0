"""The stages that ask a model: a text for an image, a wording for twins, a verdict on a pair.

Each keeps what a shard's requests became under its own fingerprint, refusals and failures included, so that nothing
is paid for twice; and each is a pure function over an engine, with the Ray side elsewhere.
"""
