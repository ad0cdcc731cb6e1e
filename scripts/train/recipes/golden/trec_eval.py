"""Fixture of the metric tests: trec_eval's own figures on random graded judgements and runs.

Writes test/fixtures/evaluation/trec-eval.json.
"""

import json
import random

import pytrec_eval

from recipes.golden.folder import FIXTURES, chosen

FIXTURE = FIXTURES / "evaluation" / "trec-eval.json"
SEED = 7
MEASURES = {"ndcg_cut.10", "recall.10,100,1000", "recip_rank"}
NAMES = ["ndcg@10", "mrr@10", "recall@10", "recall@100", "recall@1000"]


def make_sets(rng: random.Random) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, float]]]:
    """Judgements {query: {doc: grade}} and runs {query: {doc: score}} with few distinct scores, so many ties."""
    judgements: dict[str, dict[str, int]] = {}
    runs: dict[str, dict[str, float]] = {}
    for number in range(40):
        documents = [f"d{i}" for i in rng.sample(range(400), 150)]
        judged = documents[: rng.choice([1, 3, 12, 40])]
        judgements[f"q{number}"] = {doc: rng.choice([0, 0, 1, 1, 2, 3]) for doc in judged}
        runs[f"q{number}"] = {doc: rng.randint(0, 20) / 20 for doc in rng.sample(documents, 120)}
    judgements["q3"] = dict.fromkeys(judgements["q3"], 0)
    judgements["negative"] = {"d1": -1, "d2": 1, "d3": 2}
    runs["negative"] = {"d1": 0.9, "d2": 0.8, "d3": 0.1}
    # More results than the deepest figure looks at, ties across its edge.
    deep = [f"d{i}" for i in rng.sample(range(3000), 1300)]
    judgements["deep"] = {doc: rng.choice([0, 1, 2]) for doc in rng.sample(deep, 100)}
    runs["deep"] = {doc: rng.randint(0, 200) / 200 for doc in deep}
    # Scores are float32 in trec_eval: these tie, and the id decides.
    judgements["float32"] = {"a": 1, "b": 0, "c": 0}
    runs["float32"] = {"a": 0.5 + 1e-10, "b": 0.5, "c": 0.5 - 1e-10}
    # Ids compare by their UTF-8 bytes.
    judgements["unicode"] = {"\U0001f600": 1, "\uff5e": 0, "\u00e9": 2, "z": 0}
    runs["unicode"] = dict.fromkeys(judgements["unicode"], 0.25)
    # Fewer results than any figure looks at; a judged query that the run does not answer.
    judgements["short"] = {"d1": 1, "d2": 1, "d3": 1}
    runs["short"] = {"d2": 0.5}
    judgements["missing"] = {"d1": 1}
    return judgements, runs


def first(run: dict[str, float], k: int) -> dict[str, float]:
    """The k best of a run in trec_eval's order: score descending, then id descending."""
    return dict(sorted(run.items(), key=lambda item: (item[1], item[0]), reverse=True)[:k])


def make(names: list[str]) -> None:
    """Makes the fixture. Raises ValueError for an unknown name."""
    chosen(names, [FIXTURE.stem])
    judgements, runs = make_sets(random.Random(SEED))
    evaluator = pytrec_eval.RelevanceEvaluator(judgements, MEASURES)
    figures = evaluator.evaluate(runs)
    top10 = evaluator.evaluate({query: first(run, 10) for query, run in runs.items()})
    expected = {
        query: {
            "ndcg@10": of["ndcg_cut_10"],
            "mrr@10": top10[query]["recip_rank"],
            "recall@10": of["recall_10"],
            "recall@100": of["recall_100"],
            "recall@1000": of["recall_1000"],
        }
        for query, of in figures.items()
    }
    # As trec_eval -c: every judged query counts, one without results 0.
    means = {name: sum(of[name] for of in expected.values()) / len(judgements) for name in NAMES}
    fixture = {
        "about": "pytrec_eval-terrier; made by python -m recipes.golden metrics, in scripts/train",
        "judgements": judgements,
    }
    text = json.dumps({**fixture, "runs": runs, "expected": expected, "means": means})
    FIXTURE.write_text(text + "\n")
