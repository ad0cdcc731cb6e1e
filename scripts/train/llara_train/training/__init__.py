"""What one training step does: on plain text, on pairs, on a teacher's lessons."""
