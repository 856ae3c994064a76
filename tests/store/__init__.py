"""Tests of attnray.store."""
