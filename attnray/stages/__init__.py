"""The stages of a run: one file each, a function of a run and a part of it."""
