"""Tests of attnray.stages."""
