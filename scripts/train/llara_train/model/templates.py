"""The wording of the two public ways of prompting, and what a checkpoint's `training.json` says about it.

Wording: the paper, and the authors' released code (FlagEmbedding, research/LLARA). The TypeScript exporter has the same
templates. Spaces belong to the words.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Template:
    """What stands around a text. `*_specials` are the tokens at the end; all of them are pooled.

    Both prompts have one prefix, because training runs them as one joint pass.
    """

    name: str
    prefix: str
    ebae_words: str
    ebar_words: str
    ebae_specials: tuple[str, ...]
    ebar_specials: tuple[str, ...]

    @property
    def specials(self) -> tuple[str, ...]:
        """All special tokens of both prompts, each once."""
        return tuple(dict.fromkeys(self.ebae_specials + self.ebar_specials))


PAPER = Template("paper", "", " The original sentence: ", " The next sentence: ", ("</s>",), ("</s>",))
RELEASED = Template(
    "released",
    '"',
    '", summarize the above passage within eight words: ',
    '", predict the following passage within eight words: ',
    tuple(f"<s{i}>" for i in range(1, 9)),
    tuple(f"<s{i}>" for i in range(9, 17)),
)
TEMPLATES = {template.name: template for template in (PAPER, RELEASED)}


def prompt_record(template: Template, bos: bool) -> dict[str, Any]:
    """The `prompts` of training.json; `npm run model:export` refuses a template that says otherwise."""
    return {
        "template": template.name,
        "prefix": template.prefix,
        "ebae_suffix": template.ebae_words,
        "ebar_suffix": template.ebar_words,
        "end": "".join(template.ebae_specials),
        "ebar_end": "".join(template.ebar_specials),
        "bos": bos,
        "pooling": f"mean of the last {len(template.ebae_specials)} final-norm states, L2-normalised",
    }


def read_facts(folder: Path) -> dict[str, Any]:
    """training.json of a checkpoint folder; empty where there is none."""
    file = folder / "training.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def stated_template(facts: dict[str, Any]) -> Template | None:
    """The template a checkpoint says it was trained with. Raises ValueError for wording that no template has."""
    prompts = facts.get("prompts")
    if not prompts:
        return None
    for template in TEMPLATES.values():
        words = (template.prefix, template.ebae_words, template.ebar_words)
        if words == tuple(prompts.get(key) for key in ("prefix", "ebae_suffix", "ebar_suffix")):
            return template
    raise ValueError(
        "training.json names prompts of neither template: give a checkpoint of the paper's or the released one"
    )


def chosen_template(facts: dict[str, Any], wanted: str | None) -> Template:
    """`--template`, which may not contradict the checkpoint; else what the checkpoint says; else the paper's."""
    stated = stated_template(facts)
    if wanted and stated and stated.name != wanted:
        raise ValueError(
            f"the checkpoint was trained with the template {stated.name!r}, not {wanted!r}: leave --template out"
        )
    return stated or TEMPLATES[wanted or PAPER.name]
