"""Tests of attnray.cli."""
