"""Corpora: from files to documents, examples and shards."""
