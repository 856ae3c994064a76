"""Tests of attnray.pipeline."""
