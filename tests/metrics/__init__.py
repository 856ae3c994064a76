"""Tests of attnray.metrics."""
