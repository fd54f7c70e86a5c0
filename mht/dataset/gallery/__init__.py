"""gallery.html: a sample of a dataset to be looked at, in one file that opens from disk and loads nothing."""
