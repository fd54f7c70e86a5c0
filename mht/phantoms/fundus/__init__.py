"""Colour photographs of the ocular fundus: what can be there, how it is drawn, how it is said."""
