"""A causal LLaMA made from the weights of a BERT sentence encoder, without gradients."""
