"""Tests of attnray.corpus."""
