"""Which passages are hard negatives of a query: what a search ranks high, less what may well answer it too."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from llara_train.data.json_lines import read_json_lines
from llara_train.data.layouts import PairRow, normalised
from llara_train.mining.exact_search import ExactSearch, Found


@dataclass(frozen=True)
class Guards:
    """A passage is no negative of a query when it scores above `share` of its positive's score or within `margin` below
    it, or more; when it is a copy of a positive; when it belongs to another row with the same query; when it has the
    positive's title; or when its title is the query. `skip_first` best-ranked passages are passed over as well."""

    margin: float = 0.0
    share: float = 0.95
    same_title: bool = True
    skip_first: int = 0


class Passages(NamedTuple):
    """Texts, each once; `titles` normalised, empty where there is none; `numbers` by normalised text."""

    texts: list[str]
    titles: list[str]
    numbers: dict[str, int]


class Mined(NamedTuple):
    """Of one row: numbers of passages and their scores, best first, and the best score of a positive."""

    numbers: list[int]
    scores: list[float]
    positive_score: float


class Ranked(NamedTuple):
    """What a search found, and the best score of a positive of each row (-1 where it has none)."""

    found: Found
    positive_scores: Tensor


def gather_passages(rows: list[PairRow], corpus: Path | None) -> Passages:
    """All positives of the rows, and the passages of a corpus.jsonl in BEIR's layout; copies of a text only once."""
    passages = Passages([], [], {})

    def add(text: str, title: str) -> None:
        key = normalised(text)
        if key and key not in passages.numbers:
            passages.numbers[key] = len(passages.texts)
            passages.texts.append(text)
            passages.titles.append(normalised(title))

    for row in rows:
        for text in row.positives:
            add(text, row.title)
    for document in read_json_lines(corpus) if corpus else []:
        title = document.get("title") or ""
        add(f"{title} {document['text']}".strip(), title)
    return passages


def forbidden(rows: list[PairRow], passages: Passages) -> list[set[int]]:
    """For each row, the positives of every row with the same query."""
    by_query: dict[str, set[int]] = {}
    for row in rows:
        own = by_query.setdefault(normalised(row.query), set())
        own.update(passages.numbers[key] for key in map(normalised, row.positives) if key in passages.numbers)
    return [by_query[normalised(row.query)] for row in rows]


def positive_numbers(rows: list[PairRow], passages: Passages) -> list[list[int]]:
    """For each row, the numbers of its positives."""
    keys = (map(normalised, row.positives) for row in rows)
    return [[passages.numbers[key] for key in own if key in passages.numbers] for own in keys]


def ranked(rows: list[PairRow], queries: Tensor, blocks: Iterable[Tensor], passages: Passages, depth: int) -> Ranked:
    """The `depth` best passages of each row, and the score of its best positive.

    `queries` [rows, d]; `blocks` of passage vectors in the order of their numbers. All unit rows.
    """
    pairs = [(number, i) for i, own in enumerate(positive_numbers(rows, passages)) for number in own]
    numbers, asking = torch.tensor(sorted(pairs), device=queries.device).reshape(-1, 2).T.contiguous()
    own_scores = torch.full((len(rows),), -1.0, device=queries.device)
    search = ExactSearch(queries, depth)
    for block in blocks:
        first, last = torch.searchsorted(numbers, torch.tensor([search.seen, search.seen + len(block)]).to(numbers))
        here, at = numbers[first:last] - search.seen, asking[first:last]
        own_scores.scatter_reduce_(0, at, (block[here] * queries[at]).sum(1), "amax")
        search.add(block)
    return Ranked(search.found(), own_scores)


def hard_negatives(
    rows: list[PairRow], passages: Passages, best: Ranked, count: int, guards: Guards
) -> Iterator[Mined]:
    """At most `count` of each row's best passages, less those that may well answer its query."""
    own_numbers = positive_numbers(rows, passages)
    for i, (row, own) in enumerate(zip(rows, forbidden(rows, passages), strict=True)):
        score = float(best.positive_scores[i])
        limit = min(score - guards.margin, guards.share * score if score > 0 else score)
        titles = {normalised(row.query), *(passages.titles[number] for number in own_numbers[i])} - {""}
        kept: list[tuple[int, float]] = []
        in_order = zip(best.found.numbers[i].tolist(), best.found.scores[i].tolist(), strict=True)
        for number, its in islice(in_order, guards.skip_first, None):
            same_title = guards.same_title and passages.titles[number] in titles
            if number not in own and its <= limit and not same_title:
                kept.append((number, its))
        yield Mined([n for n, _ in kept[:count]], [s for _, s in kept[:count]], score)
