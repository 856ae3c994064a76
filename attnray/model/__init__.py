"""The model: finding a checkpoint, its word pieces, and its attention."""
