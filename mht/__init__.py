"""mht: build, train on, tune for and evaluate against medical hallucination in vision-language models."""

__version__ = "0.1.0"
