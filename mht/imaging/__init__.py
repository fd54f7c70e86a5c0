"""Bytes to pixels in a guarded child process: decoding, DICOM, normalisation, hashes."""
