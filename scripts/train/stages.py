"""The stages of the bundled model in order, and the file or folder each one leaves in the work folder.

Port, distillation, LM head and adaptation are port.py, distil.py, lm_head.py and adapt.py, as a user would call them.
"""

import json
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import Callable

import adapt
import distil
import lm_head
from corpus import Pair, read_json_lines
from lesson_choice import first_passages, first_queries, second_texts
from lessons import LessonText, read_lesson_texts, vectors_file, write_lesson_texts
from port import fitting_texts, port_teacher
from recipe import Recipe
from taught_sample import sample_pairs
from teacher import Teacher, is_cross_encoder
from teacher_vectors import save_vectors
from training_pairs import all_pairs


class Stages:
    """Raises ValueError for a teacher that gives no vectors."""

    def __init__(self, data: Path, work: Path, teacher: Path, recipe: Recipe):
        if is_cross_encoder(teacher):
            raise ValueError(f"{teacher} scores pairs; a teacher that gives vectors is wanted")
        self.data, self.work, self.teacher_folder, self.recipe = data, work, teacher, recipe
        self.started = time.time()

    def say(self, *words: object) -> None:
        print(f"[{time.time() - self.started:6.0f}s]", *words, file=sys.stderr, flush=True)

    @cached_property
    def teacher(self) -> Teacher:
        return Teacher(self.teacher_folder)

    def made(self, name: str, make: Callable[[Path], object]) -> Path:
        """The file or folder of a stage, made on the first run under another name until it is whole."""
        place = self.work / name
        if not place.exists():
            self.say("making", name)
            self.work.mkdir(parents=True, exist_ok=True)
            partial = place.with_name(f"unfinished-{name}")
            make(partial)
            partial.rename(place)
        return place

    @cached_property
    def sample(self) -> list[Pair]:
        def write(file: Path) -> None:
            recipe = self.recipe
            pairs = sample_pairs(list(all_pairs(self.data, recipe.seed, recipe.rows_read)), recipe.seed + 1)
            lines = (json.dumps(pair._asdict(), ensure_ascii=False) + "\n" for pair in pairs[: recipe.sample])
            file.write_text("".join(lines), encoding="utf-8")

        return [Pair(**row) for row in read_json_lines(self.made("sample.jsonl", write))]

    def lessons(self, name: str, choose: Callable[[], list[LessonText]]) -> Path:
        """Texts with the teacher's vectors beside them."""
        texts = self.made(f"{name}.jsonl", lambda file: write_lesson_texts(file, choose()))
        if not vectors_file(texts).is_file():
            self.say("the teacher reads", texts.name)
            save_vectors(
                vectors_file(texts), [lesson.text for lesson in read_lesson_texts(texts)],
                lambda some: self.teacher.encode(some), self.recipe.part_texts,
                lambda done, of: self.say(f"{texts.stem}: {done} of {of} texts"),
            )  # fmt: skip
        return texts

    def queries(self) -> Path:
        return self.lessons("lessons-1-queries", lambda: first_queries(self.sample))

    def passages(self) -> Path:
        return self.lessons("lessons-1-passages", lambda: first_passages(self.sample, self.recipe.taught_passages))

    def fresh(self) -> Path:
        def choose() -> list[LessonText]:
            recipe = self.recipe
            texts = second_texts(self.sample, recipe.taught_passages, self.data, recipe.seed + 10, recipe.rows_read)
            return texts[: recipe.second_texts]

        return self.lessons("lessons-2", choose)

    def ported(self) -> Path:
        recipe = self.recipe
        return self.made(
            "checkpoint-ported",
            lambda folder: port_teacher(
                self.teacher_folder, fitting_texts(self.sample[: recipe.port_pairs]), folder, self.data,
                recipe.rope_theta, recipe.seed,
            ),
        )  # fmt: skip

    def command(self, main: Callable[[list[str]], int], arguments: dict[str, object]) -> None:
        """One of the commands with its options; ends the run when the command did not finish."""
        code = main([word for option, values in arguments.items() for word in (f"--{option}", *_words(values))])
        if code != 0:
            raise SystemExit(code)

    def distilled(self, name: str, model: Path, lessons: list[Path], epochs: float, rate: float, tokens: int) -> Path:
        recipe, out = self.recipe, self.work / name
        arguments = {
            "model": model, "lessons": lessons, "out": out, "epochs": epochs, "rate": rate, "tokens": tokens,
            "warm-up": recipe.warm_up, "micro-batch": recipe.micro_batch, "processes": recipe.processes,
            "seed": recipe.seed,
        }  # fmt: skip
        if not out.exists():
            self.say("making", name)
            self.command(distil.main, arguments)
        return out

    def with_head(self, model: Path, passages: Path) -> Path:
        recipe = self.recipe
        arguments = {
            "model": model, "lessons": passages, "steps": recipe.head_steps, "tokens": recipe.first_tokens,
            "drop-frequent": recipe.drop_frequent, "seed": recipe.seed,
        }  # fmt: skip
        return self.made("checkpoint-head", lambda out: self.command(lm_head.main, {**arguments, "out": out}))

    def adapted(self, model: Path) -> Path:
        """The up projections stay constant, so that distillation can go on; the teacher's token table stays too."""
        recipe, out = self.recipe, self.work / "adapt"
        arguments = {
            "model": model, "data": sorted(self.data.glob("text-*.jsonl.xz")), "out": out, "unit": "sentences",
            "documents": 2 * recipe.adapt_batch * recipe.adapt_steps, "max-tokens": recipe.adapt_tokens,
            "steps": recipe.adapt_steps, "batch": recipe.adapt_batch, "rate": recipe.adapt_rate,
            "embeddings-share": recipe.embeddings_share, "warm-up": recipe.adapt_warm_up, "final-share": 0.05,
            "drop-frequent": recipe.drop_frequent, "seed": recipe.seed, "save-every": 25,
            "freeze": ["up_proj", "embed_tokens"],
        }  # fmt: skip
        self.say("adapting")
        self.command(adapt.main, arguments)
        return out / "checkpoint"

    def run(self) -> Path:
        """The folder of the finished checkpoint."""
        recipe, (queries, passages, fresh) = self.recipe, (self.queries(), self.passages(), self.fresh())
        first = self.distilled(
            "checkpoint-distilled", self.ported(), [queries, passages], recipe.first_epochs, recipe.first_rate,
            recipe.first_tokens,
        )  # fmt: skip
        adapted = self.adapted(self.with_head(first, passages))
        final = self.distilled(
            "checkpoint-final", adapted, [fresh], recipe.second_epochs, recipe.second_rate, recipe.second_tokens
        )
        self.say("done:", final)
        return final


def _words(values: object) -> list[str]:
    return [str(value) for value in (values if isinstance(values, list) else [values])]
