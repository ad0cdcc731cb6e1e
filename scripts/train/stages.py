"""The stages in order, and the file each one leaves in the work folder."""

import json
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Callable, Iterator

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

import model_facts
from adapt import adaptation_batches, adaptation_step, fit_logit_scale, left_out_of_targets, passages
from alignment import TeacherVectors
from checkpoint import load_state, save_checkpoint, save_state
from corpus import read_documents, read_pairs
from finetune import Objective, finetune_step
from loop import Rates, run_steps
from mine import hard_batches, hard_neighbours
from pair_store import PairStore, all_pairs, build_pair_store
from prompts import prompts_of
from teacher import Teacher, sample_pairs
from token_distillation import distil_token_embeddings, embed_store
from token_embeddings import train_token_embeddings
from token_store import TokenStore, tokenise
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
    adapt_rows: int = 32
    adapt_steps: int = 70
    adapt_rates: Rates = Rates(layers=5e-4, warm_up_steps=10)
    adapt_minutes: float = 60
    finetune_pairs: int = 48
    finetune_steps: int = 130
    finetune_tokens: int = 200
    finetune_rates: Rates = Rates(layers=5e-4, embeddings_share=0.2, warm_up_steps=10)
    finetune_minutes: float = 120
    objective: Objective = Objective(contrast=0.5, ranking=1.0, position=2.0)


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
    def sample(self) -> tuple[TokenStore, TokenStore]:
        """Queries and (mostly shortened) passages of the pairs used with the teacher and in fine-tuning."""
        files = [self.work / "sample" / name for name in ("queries.npz", "positives.npz")]
        if not files[1].exists():
            pairs = sample_pairs(list(all_pairs(self.data, self.recipe.seed, True)), self.recipe.seed + 1)
            (self.work / "sample").mkdir(parents=True, exist_ok=True)
            (self.work / "sample" / "texts.json").write_text(json.dumps([pair[:2] for pair in pairs]))
            tokenise(self.tokenizer, [pair.query for pair in pairs]).save(files[0])
            tokenise(self.tokenizer, [pair.positive for pair in pairs]).save(files[1])
        return TokenStore.load(files[0]), TokenStore.load(files[1])

    def taught(self) -> dict:
        """The teacher's own vectors for the sampled texts."""
        texts = json.loads((self.work / "sample" / "texts.json").read_text())
        teacher = Teacher(self.teacher)
        queries = teacher.encode([query for query, _ in texts])
        positives = teacher.encode([positive for _, positive in texts[: self.recipe.taught_passages]])
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
        queries, positives = self.sample
        own = self.kept("teacher.pt", self.taught)
        weight, vectors = distil_token_embeddings(
            plain, self.pairs, queries, positives, own["queries"].numpy(), own["passages"].numpy(),
            prompts, recipe.seed, report,
        )  # fmt: skip
        return {"weight": weight, "queries": vectors.queries, "passages": vectors.passages}

    def warm(self, weight: torch.Tensor) -> LlamaForCausalLM:
        eos, bos, pad = (self.tokenizer.token_to_id(token) for token in (EOS, BOS, PAD))
        recipe = self.recipe
        config = small_llama_config(len(weight), recipe.hidden, recipe.layers, recipe.intermediate, eos, bos, pad)
        return warm_started_llama(weight, config, recipe.seed)

    def adapt(self, model: LlamaForCausalLM) -> int:
        recipe, prompts = self.recipe, prompts_of(self.tokenizer)
        texts = (text for _, text in read_documents(self.data))
        found = passages(texts, self.tokenizer, recipe.adapt_rows * recipe.adapt_steps, recipe.seed + 2)
        left_out = left_out_of_targets(found, self.tokenizer)
        fit_logit_scale(model, found[:64], prompts, left_out)
        step = adaptation_step(model, prompts, left_out, lambda ebae, ebar: None)
        stop = time.time() + 60 * recipe.adapt_minutes
        batches = adaptation_batches(found, recipe.adapt_rows)
        file = self.work / "adapt.state.pt"
        return run_steps(model, batches, step, recipe.adapt_rates, file, 25, stop, self.reporter(10))

    def finetune(self, model: LlamaForCausalLM, weight: torch.Tensor, vectors: TeacherVectors | None) -> int:
        recipe, prompts = self.recipe, prompts_of(self.tokenizer)
        queries, positives = self.sample
        count = len(vectors.passages) if vectors else recipe.taught_passages
        neighbours = hard_neighbours(
            embed_store(weight, queries, count, prompts.ebar).numpy(),
            embed_store(weight, positives, count, prompts.ebae).numpy(),
            4,
        )
        chance = np.random.default_rng(recipe.seed + 4)
        batches: list[np.ndarray] = []
        while len(batches) < recipe.finetune_steps:
            made = hard_batches(neighbours, recipe.finetune_pairs, chance)
            if not made:
                raise ValueError(f"{count} pairs do not fill half a batch of {recipe.finetune_pairs}")
            batches += made
        batches = batches[: recipe.finetune_steps]
        step = finetune_step(model, prompts, queries, positives, vectors, recipe.objective, recipe.finetune_tokens)
        stop = time.time() + 60 * recipe.finetune_minutes
        file = self.work / "finetune.state.pt"
        return run_steps(model, batches, step, recipe.finetune_rates, file, 25, stop, self.reporter(10))

    def run(self) -> None:
        tokens = self.kept("token-vectors.pt", self.token_vectors)
        weight = tokens["weight"]
        vectors = TeacherVectors(tokens["queries"], tokens["passages"]) if "queries" in tokens else None
        model = self.warm(weight)
        facts = model_facts.begin(self.data, asdict(self.recipe), self.teacher is not None)
        save_checkpoint(self.work / "checkpoint-warm", model, self.tokenizer, facts)
        self.say("adapting")
        steps = self.adapt(model)
        facts["stages"].append(model_facts.adaptation(steps, self.recipe.adapt_rows))
        self.say("fine-tuning")
        steps = self.finetune(model, weight, vectors)
        facts["stages"].append(model_facts.finetuning(steps, self.recipe.finetune_pairs, vectors is not None))
        save_checkpoint(self.work / "checkpoint-final", model, self.tokenizer, facts)
        self.say("done:", self.work / "checkpoint-final")
