"""The two prompts of LLaRA (paper, section 3) as ids: what stands around a text before its embedding is read.

Prefix, text and suffix are tokenised separately and their ids joined, exactly as the service does it.
"""

from dataclasses import dataclass

from tokenizers import Tokenizer

from templates import PAPER, Template


@dataclass(frozen=True)
class Prompts:
    """Ids around a text: `prefix` before it; behind it `ebae` for documents (the text itself) or `ebar` for queries
    (what comes next). The states at the last `pooled` positions are averaged."""

    ebae: tuple[int, ...]
    ebar: tuple[int, ...]
    prefix: tuple[int, ...] = ()
    pooled: int = 1

    @property
    def longest(self) -> int:
        return max(len(self.ebae), len(self.ebar))


def prompts_of(tokenizer: Tokenizer, template: Template = PAPER, bos: int | None = None) -> Prompts:
    """`bos` is the id that opens every text, where the model wants one. Raises ValueError for a missing special."""

    def words(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=False).ids)

    def special(token: str) -> int:
        found = tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"the tokenizer has no {token}, which the template {template.name!r} ends with")
        return found

    return Prompts(
        ebae=words(template.ebae_words) + tuple(map(special, template.ebae_specials)),
        ebar=words(template.ebar_words) + tuple(map(special, template.ebar_specials)),
        prefix=(() if bos is None else (bos,)) + (words(template.prefix) if template.prefix else ()),
        pooled=len(template.ebae_specials),
    )
