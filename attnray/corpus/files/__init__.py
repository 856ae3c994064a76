"""Where the files of corpora are: on disk or at addresses, plain or compressed."""
