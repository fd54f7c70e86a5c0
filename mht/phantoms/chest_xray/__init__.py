"""Frontal chest radiographs: what can be there, how it is drawn, how it is said."""
