"""Tests of attnray.model."""
