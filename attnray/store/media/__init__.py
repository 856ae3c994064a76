"""What run folders lie on: a local disk, an object store."""
