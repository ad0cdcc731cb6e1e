"""Added tokens with the ids of tokenizer.json, which the tokenizers library does not read.

The library numbers added tokens anew: from the number of vocabulary entries on, or from the largest added id. The
TypeScript service has the same rules: every added token has the id of its file, and no two tokens share one.
"""

import json
from typing import Any

from tokenizers import AddedToken, Tokenizer

PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def with_file_ids(file: dict[str, Any]) -> Tokenizer:
    """The tokenizer of a tokenizer.json, every added token under the id of the file, in any order and with gaps.

    Raises ValueError for a file that contradicts itself, or for an id that the library cannot be brought to give.
    """
    vocabulary = file["model"]["vocab"]
    if not isinstance(vocabulary, dict):  # Unigram: a list of pieces whose order is their ids
        return _checked(file, {})
    ids, tokens = dict(vocabulary), {i: token for token, i in vocabulary.items()}
    added: dict[str, dict[str, Any]] = {}
    for token in sorted(file.get("added_tokens") or [], key=lambda token: int(token["id"])):
        content, number = token["content"], token["id"]
        if ids.setdefault(content, number) != number:
            raise ValueError(f"tokenizer.json gives {content} two ids, {ids[content]} and {number}")
        if tokens.setdefault(number, content) != content:
            raise ValueError(f"tokenizer.json gives the same id, {number}, to {tokens[number]} and to {content}")
        added.setdefault(content, token)
    size = max(vocabulary.values(), default=-1) + 1
    inside = {i: token for i, token in tokens.items() if i < size and added.get(token, {}).get("special")}
    whole = vocabulary | {token: i for i, token in inside.items()}
    whole |= {f"<|unused-{i}|>": i for i in set(range(size)) - set(whole.values())}
    behind = {token: i for i, token in tokens.items() if i >= size}
    unused = set(range(size, max(behind.values(), default=-1) + 1)) - set(behind.values())
    fillers = [PLAIN | {"id": i, "content": f"<|unused-{i}|>", "special": True} for i in unused]
    in_order = sorted([*added.values(), *fillers], key=lambda token: int(token["id"]))
    return _checked(file | {"added_tokens": in_order, "model": file["model"] | {"vocab": whole}}, added)


def _checked(file: dict[str, Any], added: dict[str, Any]) -> Tokenizer:
    tokenizer = Tokenizer.from_str(json.dumps(file))
    for content, token in added.items():
        if (given := tokenizer.token_to_id(content)) != token["id"]:
            raise ValueError(
                f"tokenizer.json gives {content} the id {token['id']}, which the tokenizers library cannot: it gives "
                f"{given}. Give the token an id behind the vocabulary, or mark it as special"
            )
    return tokenizer


def make_room(model: dict[str, Any]) -> None:
    """Fills a vocabulary up to its largest id with entries that no text reaches, so that the numbers the library gives
    to added tokens belong to nothing else. In place."""
    vocabulary = model["vocab"]
    if not isinstance(vocabulary, dict):
        return
    number = max(vocabulary.values(), default=-1) + 1
    missing = number - len(vocabulary)
    while missing > 0:
        if f"filler {number}" not in vocabulary:
            vocabulary[f"filler {number}"] = number
            missing -= 1
        number += 1


def renumbered(whole: Tokenizer, plain: Tokenizer) -> dict[int, int]:
    """Id in `whole` for each id in `plain` of an added token, where they differ."""
    added: dict[int, AddedToken] = plain.get_added_tokens_decoder()
    ids = {number: whole.token_to_id(token.content) for number, token in added.items()}
    return {number: right for number, right in ids.items() if right is not None and right != number}
