"""The same dataset built in different ways. Each module is a program of its own that ends with one line of JSON."""
