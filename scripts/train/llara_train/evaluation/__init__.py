"""Figures about a checkpoint: nDCG on judged sets, nearness to a teacher, the saving of the joint pass."""
