"""Tests of attnray.executors."""
