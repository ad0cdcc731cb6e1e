"""Tokenised texts: one flat array of ids and the offsets where each text starts."""

import numpy as np


class TokenStore:
    """Texts as ids: `ids` unsigned [all tokens], `offsets` int64 [texts + 1]."""

    def __init__(self, ids: np.ndarray, offsets: np.ndarray):
        self.ids, self.offsets = ids, offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]
