"""One file a form of question: `write(case, rng)` words a premise in both its readings, with both answers."""
