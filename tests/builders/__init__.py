"""What tests build on: jobs as processes, models, corpora, maps."""
