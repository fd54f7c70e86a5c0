"""A model that is trained: tokens, packing, loss, adapters, sharding, checkpoints. Knows torch and never Ray."""
