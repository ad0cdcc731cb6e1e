"""The special tokens of checkpoints that are made here (ported models, toy models)."""

UNKNOWN, BOS, EOS, PAD = "<unk>", "<s>", "</s>", "<pad>"
