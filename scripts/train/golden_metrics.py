"""Makes test/fixtures/evaluation/trec-eval.json: trec_eval's own figures on random graded judgements and runs.

Needs the package pytrec-eval-terrier, which nothing else here needs:
    pip install pytrec-eval-terrier && python scripts/train/golden_metrics.py
"""

import json
import pathlib
import random

import pytrec_eval

FIXTURE = pathlib.Path(__file__).parents[2] / "test/fixtures/evaluation/trec-eval.json"
SEED = 7


def make_sets(rng: random.Random) -> tuple[dict, dict]:
    """Judgements {query: {doc: grade}} and runs {query: {doc: score}} with few distinct scores, so many ties."""
    judgements, runs = {}, {}
    for number in range(40):
        documents = [f"d{i}" for i in rng.sample(range(400), 150)]
        judged = documents[: rng.choice([1, 3, 12, 40])]
        judgements[f"q{number}"] = {doc: rng.choice([0, 0, 1, 1, 2, 3]) for doc in judged}
        runs[f"q{number}"] = {doc: rng.randint(0, 20) / 20 for doc in rng.sample(documents, 120)}
    judgements["q3"] = dict.fromkeys(judgements["q3"], 0)
    return judgements, runs


def first(run: dict, k: int) -> dict:
    """The k best of a run in trec_eval's order: score descending, then id descending."""
    return dict(sorted(run.items(), key=lambda item: (item[1], item[0]), reverse=True)[:k])


def main() -> None:
    judgements, runs = make_sets(random.Random(SEED))
    evaluator = pytrec_eval.RelevanceEvaluator(judgements, {"ndcg_cut.10", "recall.10,100", "recip_rank"})
    figures = evaluator.evaluate(runs)
    top10 = evaluator.evaluate({query: first(run, 10) for query, run in runs.items()})
    expected = {
        query: {
            "ndcg@10": of["ndcg_cut_10"],
            "mrr@10": top10[query]["recip_rank"],
            "recall@10": of["recall_10"],
            "recall@100": of["recall_100"],
        }
        for query, of in figures.items()
    }
    fixture = {"about": "pytrec_eval-terrier; made by scripts/train/golden_metrics.py", "judgements": judgements}
    FIXTURE.write_text(json.dumps({**fixture, "runs": runs, "expected": expected}) + "\n")


if __name__ == "__main__":
    main()
