"""Tests of attnray.report."""
