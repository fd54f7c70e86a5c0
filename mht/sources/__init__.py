"""One file a kind of input. A source lists items on the driver and fetches bytes in a worker."""
