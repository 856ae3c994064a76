"""What gathers a shard: attention in, partials and cases out; one file a metric."""
