"""One file a way to a caption."""
