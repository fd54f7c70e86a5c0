"""One file a kind of training data. A source lists examples without their images, then reads a shard's."""
