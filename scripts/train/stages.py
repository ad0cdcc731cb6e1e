"""The stages in order, and the file each one leaves in the work folder.

Adaptation, mining and fine-tuning are adapt.py, mine.py and finetune.py, as a user would call them.
"""

import json
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Callable, Iterator

import torch
from tokenizers import Tokenizer

import adapt
import finetune
import mine
import model_facts
from checkpoint import load_state, save_checkpoint, save_state
from corpus import read_documents, read_json_lines, read_pairs
from pair_store import PairStore, all_pairs, build_pair_store
from prompts import prompts_of
from taught_sample import sample_pairs
from teacher import Teacher
from token_distillation import distil_token_embeddings
from token_embeddings import train_token_embeddings
from token_store import tokenise
from tokenizer import BOS, EOS, PAD, save_tokenizer, train_tokenizer
from warm_start import small_llama_config, warm_started_llama


@dataclass(frozen=True)
class Recipe:
    seed: int = 1
    dimensions: int = 352
    hidden: int = 384
    layers: int = 4
    intermediate: int = 768
    taught_passages: int = 24_576
    adapt_batch: int = 32
    adapt_steps: int = 70
    adapt_tokens: int = 80
    finetune_batch: int = 48
    finetune_negatives: int = 2
    finetune_steps: int = 130
    finetune_tokens: int = 200
    rate: float = 5e-4


class Stages:
    def __init__(self, data: Path, work: Path, teacher: Path | None, recipe: Recipe):
        self.data, self.work, self.teacher, self.recipe = data, work, teacher, recipe
        self.started = time.time()

    def say(self, *words: object) -> None:
        print(f"[{time.time() - self.started:6.0f}s]", *words, flush=True)

    def reporter(self, every: int) -> Callable[..., None]:
        return lambda *facts: self.say(*facts) if facts[-2] % every == 0 else None

    def kept(self, name: str, make: Callable[[], dict]) -> dict:
        """The state file of a stage, made on the first run."""
        file = self.work / name
        if not file.exists():
            self.say("making", name)
            save_state(file, make())
        return load_state(file)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        folder = self.work / "tokenizer"
        if not (folder / "tokenizer.json").exists():
            self.say("training the tokenizer")
            save_tokenizer(train_tokenizer(self._tokenizer_texts()), folder, 1_024)
        return Tokenizer.from_file(str(folder / "tokenizer.json"))

    def _tokenizer_texts(self) -> Iterator[str]:
        """A third of the documents, half of the queries, a sixth of the passages."""
        for _, text in islice(read_documents(self.data), 0, None, 3):
            yield text[:4_000]
        for i, pair in enumerate(read_pairs(self.data)):
            if i % 2 == 0:
                yield pair.query
            if i % 6 == 0:
                yield pair.positive

    @cached_property
    def pairs(self) -> PairStore:
        folder = self.work / "pairs"
        if not (folder / "sources.npz").exists():
            self.say("tokenising the pairs")
            build_pair_store(self.data, self.tokenizer, self.recipe.seed).save(folder)
        return PairStore.load(folder)

    @cached_property
    def sample(self) -> Path:
        """JSONL of the pairs used with the teacher and in fine-tuning, passages mostly shortened."""
        file = self.work / "sample.jsonl"
        if not file.exists():
            pairs = sample_pairs(list(all_pairs(self.data, self.recipe.seed, True)), self.recipe.seed + 1)
            partial = file.with_suffix(".partial")
            partial.write_text("".join(json.dumps(pair._asdict()) + "\n" for pair in pairs), encoding="utf-8")
            partial.rename(file)
        return file

    def sample_texts(self, field: str) -> list[str]:
        return [row[field] for row in read_json_lines(self.sample)]

    def taught(self) -> dict:
        """The teacher's own vectors for the sampled texts."""
        teacher = Teacher(self.teacher)
        queries = teacher.encode(self.sample_texts("query"))
        positives = teacher.encode(self.sample_texts("positive")[: self.recipe.taught_passages])
        return {"queries": torch.from_numpy(queries), "passages": torch.from_numpy(positives)}

    def token_vectors(self) -> dict:
        prompts, recipe = prompts_of(self.tokenizer), self.recipe
        size = self.tokenizer.get_vocab_size()
        report = self.reporter(50)
        plain = self.kept(
            "token-contrast.pt",
            lambda: {"weight": train_token_embeddings(self.pairs, prompts, size, recipe.dimensions, recipe.seed, report)},
        )["weight"]
        if self.teacher is None:
            return {"weight": plain}
        queries, positives = (tokenise(self.tokenizer, self.sample_texts(field)) for field in ("query", "positive"))
        own = self.kept("teacher.pt", self.taught)
        weight = distil_token_embeddings(
            plain, self.pairs, queries, positives, own["queries"].numpy(), own["passages"].numpy(),
            prompts, recipe.seed, report,
        )  # fmt: skip
        return {"weight": weight}

    def warm(self, weight: torch.Tensor) -> Path:
        """The LLaMA around the token vectors."""
        folder, recipe = self.work / "checkpoint-warm", self.recipe
        if not folder.exists():
            eos, bos, pad = (self.tokenizer.token_to_id(token) for token in (EOS, BOS, PAD))
            config = small_llama_config(len(weight), recipe.hidden, recipe.layers, recipe.intermediate, eos, bos, pad)
            facts = model_facts.begin(self.data, asdict(recipe), self.teacher is not None)
            save_checkpoint(folder, warm_started_llama(weight, config, recipe.seed), self.tokenizer, facts)
        return folder

    def command(self, name: str, main: Callable[[list[str]], int], arguments: dict[str, object], flags: list[str]) -> None:
        """One of the three commands with its options; ends the run when the command did not finish."""
        self.say(name)
        words = [word for option, values in arguments.items() for word in (f"--{option}", *_words(values))]
        code = main(words + flags)
        if code != 0:
            raise SystemExit(code)

    def adapt(self, model: Path) -> Path:
        recipe, out = self.recipe, self.work / "adapt"
        arguments = {
            "model": model, "data": sorted(self.data.glob("text-*.jsonl.xz")), "out": out, "unit": "sentences",
            "documents": 2 * recipe.adapt_batch * recipe.adapt_steps, "max-tokens": recipe.adapt_tokens,
            "steps": recipe.adapt_steps, "batch": recipe.adapt_batch, "rate": recipe.rate, "embeddings-share": 0.1,
            "warm-up": 10, "final-share": 0.05, "drop-frequent": 50, "seed": recipe.seed, "save-every": 25,
        }  # fmt: skip
        self.command("adapting", adapt.main, arguments, ["--fit-scale"])
        return out / "checkpoint"

    def mine(self, model: Path) -> Path:
        file = self.work / "mined.jsonl"
        if not file.exists():
            recipe = self.recipe
            arguments = {
                "model": model, "pairs": self.sample, "out": file, "limit": recipe.taught_passages, "count": 4,
                "query-tokens": recipe.finetune_tokens, "passage-tokens": recipe.finetune_tokens,
            }  # fmt: skip
            self.command("mining", mine.main, arguments, [])
        return file

    def finetune(self, model: Path, pairs: Path) -> Path:
        recipe, out = self.recipe, self.work / "finetune"
        arguments = {
            "model": model, "pairs": pairs, "out": out, "steps": recipe.finetune_steps, "batch": recipe.finetune_batch,
            "negatives": recipe.finetune_negatives, "query-tokens": recipe.finetune_tokens,
            "passage-tokens": recipe.finetune_tokens, "temperature": 0.05, "rate": recipe.rate, "embeddings-share": 0.2,
            "warm-up": 10, "final-share": 0.05, "schedule": "cosine", "micro-tokens": 3_072, "direct-tokens": 40_000,
            "seed": recipe.seed, "save-every": 25, **({"teacher": self.teacher} if self.teacher else {}),
        }  # fmt: skip
        self.command("fine-tuning", finetune.main, arguments, ["--both-ways"])
        return out / "checkpoint"

    def run(self) -> Path:
        """The folder of the finished checkpoint."""
        weight = self.kept("token-vectors.pt", self.token_vectors)["weight"]
        adapted = self.adapt(self.warm(weight))
        final = self.finetune(adapted, self.mine(adapted))
        self.say("done:", final)
        return final


def _words(values: object) -> list[str]:
    return [str(value) for value in (values if isinstance(values, list) else [values])]
