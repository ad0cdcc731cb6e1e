"""Hard negatives: an exact search, and the guards against false negatives."""
