"""Facts and edits to questions and answers: templates, twins, balance."""
