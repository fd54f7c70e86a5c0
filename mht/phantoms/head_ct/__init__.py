"""Axial computed tomography of the head: what can be there, how it is drawn, how it is said."""
