"""Probes: classifiers that read dependency parses from attention."""
