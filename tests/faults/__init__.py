"""Faults of the machine, each real, and what is left of a run afterwards."""
