"""What people decide about pairs: accept, reject or edit, kept beside the dataset and applied when it is built."""
