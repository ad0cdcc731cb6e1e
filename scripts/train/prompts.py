"""The two prompts of LLaRA (paper, section 3): what stands after a text before its embedding is read at `</s>`.

Text and suffix are tokenised separately and their ids joined, exactly as the service does it.
"""

from dataclasses import dataclass

from tokenizers import Tokenizer

from tokenizer import EOS

EBAE_SUFFIX = " The original sentence: "
EBAR_SUFFIX = " The next sentence: "


@dataclass(frozen=True)
class Prompts:
    """Ids that follow a text: `ebae` for documents (the text itself), `ebar` for queries (what comes next)."""

    ebae: tuple[int, ...]
    ebar: tuple[int, ...]

    @property
    def longest(self) -> int:
        return max(len(self.ebae), len(self.ebar))


def prompts_of(tokenizer: Tokenizer) -> Prompts:
    end = tokenizer.token_to_id(EOS)

    def suffix(words: str) -> tuple[int, ...]:
        return (*tokenizer.encode(words, add_special_tokens=False).ids, end)

    return Prompts(ebae=suffix(EBAE_SUFFIX), ebar=suffix(EBAR_SUFFIX))
