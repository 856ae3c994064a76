"""The formats of corpora: from a file to documents."""
