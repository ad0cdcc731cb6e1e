"""Text, pairs and judged sets on disk, and what training reads of them in which order."""
