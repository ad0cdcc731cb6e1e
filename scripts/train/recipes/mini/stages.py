"""The stages of the bundled model in order, and the file or folder that each one leaves in the work folder.

Distillation, LM head and adaptation are the commands `distil`, `fit-head` and `adapt`, as a user would call them.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from llara_train.cli import adapt, distil, fit_head
from llara_train.cli.calling import run_command
from llara_train.data.corpus import Pair
from llara_train.data.json_lines import read_json_lines
from llara_train.porting.ported_checkpoint import fitting_texts, port_teacher
from llara_train.teaching.lessons import LessonText, read_lesson_texts, vectors_file, write_lesson_texts
from llara_train.teaching.teachers import Teacher, is_cross_encoder
from llara_train.teaching.vector_parts import save_vectors
from recipes.mini.lesson_choice import first_passages, first_queries, second_texts
from recipes.mini.sample import sample_pairs
from recipes.mini.sentence_pairs import all_pairs
from recipes.mini.sizes import Recipe


class Stages:
    """Makes the stages in the folder `work`. Raises ValueError for a teacher that gives no vectors."""

    def __init__(self, data: Path, work: Path, teacher: Path, recipe: Recipe) -> None:
        if is_cross_encoder(teacher):
            raise ValueError(f"{teacher} is a cross-encoder: give a teacher that makes vectors")
        self.data, self.work, self.teacher_folder, self.recipe = data, work, teacher, recipe
        self.started = time.time()

    def say(self, *words: object) -> None:
        """Prints a line with the seconds since the start."""
        print(f"[{time.time() - self.started:6.0f}s]", *words, file=sys.stderr, flush=True)

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher, loaded when a stage needs it."""
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
        """The pairs that lessons and port are made from."""

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
                vectors_file(texts),
                [lesson.text for lesson in read_lesson_texts(texts)],
                self.teacher.encode,
                self.recipe.part_texts,
                lambda done, of: self.say(f"{texts.stem}: {done} of {of} texts"),
            )
        return texts

    def queries(self) -> Path:
        """Lessons of round one: the queries of the sample."""
        return self.lessons("lessons-1-queries", lambda: first_queries(self.sample))

    def passages(self) -> Path:
        """Lessons of round one: the first passages of the sample."""
        return self.lessons("lessons-1-passages", lambda: first_passages(self.sample, self.recipe.taught_passages))

    def fresh(self) -> Path:
        """Lessons of round two: what round one left out."""

        def choose() -> list[LessonText]:
            recipe = self.recipe
            texts = second_texts(self.sample, recipe.taught_passages, self.data, recipe.seed + 10, recipe.rows_read)
            return texts[: recipe.second_texts]

        return self.lessons("lessons-2", choose)

    def ported(self) -> Path:
        """The teacher as a causal LLaMA."""

        def make(folder: Path) -> None:
            recipe = self.recipe
            texts = fitting_texts(self.sample[: recipe.port_pairs])
            port_teacher(self.teacher_folder, texts, folder, self.data, recipe.rope_theta, recipe.seed)

        return self.made("checkpoint-ported", make)

    def distilled(self, name: str, model: Path, lessons: list[Path], epochs: float, rate: float, tokens: int) -> Path:
        """`model` after a round of distillation."""
        recipe, out = self.recipe, self.work / name
        options = {
            "model": model,
            "lessons": lessons,
            "out": out,
            "epochs": epochs,
            "rate": rate,
            "tokens": tokens,
            "warm-up": recipe.warm_up,
            "micro-batch": recipe.micro_batch,
            "processes": recipe.processes,
            "seed": recipe.seed,
        }
        if not out.exists():
            self.say("making", name)
            run_command(distil.main, options)
        return out

    def with_head(self, model: Path, passages: Path) -> Path:
        """`model` with an LM head fitted on the lessons `passages`."""
        recipe = self.recipe
        options = {
            "model": model,
            "lessons": passages,
            "steps": recipe.head_steps,
            "tokens": recipe.first_tokens,
            "drop-frequent": recipe.drop_frequent,
            "seed": recipe.seed,
        }
        return self.made("checkpoint-head", lambda out: run_command(fit_head.main, {**options, "out": out}))

    def adapted(self, model: Path) -> Path:
        """`model` after adaptation.

        The up projections stay constant, so that it can be distilled again; so does the teacher's token table.
        """
        recipe, out = self.recipe, self.work / "adapt"
        options = {
            "model": model,
            "data": sorted(self.data.glob("text-*.jsonl.xz")),
            "out": out,
            "unit": "sentences",
            "documents": 2 * recipe.adapt_batch * recipe.adapt_steps,
            "max-tokens": recipe.adapt_tokens,
            "steps": recipe.adapt_steps,
            "batch": recipe.adapt_batch,
            "rate": recipe.adapt_rate,
            "embeddings-share": recipe.embeddings_share,
            "warm-up": recipe.adapt_warm_up,
            "final-share": 0.05,
            "drop-frequent": recipe.drop_frequent,
            "seed": recipe.seed,
            "save-every": 25,
            "freeze": ["up_proj", "embed_tokens"],
        }
        self.say("adapting")
        run_command(adapt.main, options)
        return out / "checkpoint"

    def run(self) -> Path:
        """Makes all stages that are missing; returns the folder of the finished checkpoint."""
        recipe, (queries, passages, fresh) = self.recipe, (self.queries(), self.passages(), self.fresh())
        first = self.distilled(
            "checkpoint-distilled",
            self.ported(),
            [queries, passages],
            recipe.first_epochs,
            recipe.first_rate,
            recipe.first_tokens,
        )
        adapted = self.adapted(self.with_head(first, passages))
        final = self.distilled(
            "checkpoint-final", adapted, [fresh], recipe.second_epochs, recipe.second_rate, recipe.second_tokens
        )
        self.say("done:", final)
        return final
