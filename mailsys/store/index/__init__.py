"""What a store knows of messages without reading them again: a cache, and nothing else."""
