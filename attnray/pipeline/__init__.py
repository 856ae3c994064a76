"""The pipeline: the stages of a run, and the executors that run them."""
