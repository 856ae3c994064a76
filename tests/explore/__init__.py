"""Tests of attnray.explore."""
