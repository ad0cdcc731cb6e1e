"""One step over one or several devices: micro-batches, gathered vectors, gradient caching."""
