"""The two prompts of LLaRA (paper, section 3) as ids: what stands around a text when its embedding is read.

Prefix, text and suffix are tokenised separately and their ids joined, exactly as the service does it.
"""

from dataclasses import dataclass
from typing import Protocol

from llara_train.model.templates import PAPER, Template


@dataclass(frozen=True)
class Prompts:
    """Ids around a text: `prefix` before it; behind it `ebae` for documents (the text itself) or `ebar` for queries
    (what comes next). The states at the last `pooled` positions are averaged."""

    ebae: tuple[int, ...]
    ebar: tuple[int, ...]
    prefix: tuple[int, ...] = ()
    pooled: int = 1

    def suffix(self, prompt: str) -> tuple[int, ...]:
        """Ids behind a text that is read with `prompt`, "ebae" or "ebar". Raises ValueError for any other name."""
        if prompt not in ("ebae", "ebar"):
            raise ValueError(f"there is no prompt {prompt!r}: use ebae or ebar")
        return self.ebae if prompt == "ebae" else self.ebar


class Encoded(Protocol):
    """A text as ids."""

    @property
    def ids(self) -> list[int]:
        """One for each token."""
        ...


class PromptTokenizer(Protocol):
    """What reading the words and special tokens of a prompt needs of a tokenizer."""

    def encode(self, sequence: str, *, add_special_tokens: bool) -> Encoded:
        """Ids of plain words."""
        ...

    def token_to_id(self, token: str) -> int | None:
        """Id of one token."""
        ...


def prompts_of(tokenizer: PromptTokenizer, template: Template = PAPER, bos: int | None = None) -> Prompts:
    """`bos` is the id that opens every text, where the model wants one. Raises ValueError for a missing special."""

    def words(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=False).ids)

    def special(token: str) -> int:
        found = tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"the tokenizer has no token {token}: the template {template.name!r} needs it")
        return found

    return Prompts(
        ebae=words(template.ebae_words) + tuple(map(special, template.ebae_specials)),
        ebar=words(template.ebar_words) + tuple(map(special, template.ebar_specials)),
        prefix=(() if bos is None else (bos,)) + (words(template.prefix) if template.prefix else ()),
        pooled=len(template.ebae_specials),
    )
