"""The clinical lexicon, text to facts, and the risk rules: tables a clinician can read, and no Ray, no torch."""
