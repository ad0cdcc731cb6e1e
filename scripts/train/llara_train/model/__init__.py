"""A checkpoint: its tokenizer, template and prompts, and how a text becomes an embedding."""
