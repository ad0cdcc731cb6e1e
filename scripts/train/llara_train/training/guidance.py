"""A teacher's scores of one step, on every device alike."""

import torch

from llara_train.data.contrastive_batch import ContrastiveBatch
from llara_train.data.pairs import PairFiles
from llara_train.objectives.info_nce import Guide
from llara_train.running.devices.gather import gathered
from llara_train.running.loop import Training
from llara_train.teaching.teachers import CrossTeacher, Teacher


def guide_for(
    training: Training,
    teacher: Teacher | CrossTeacher | None,
    pairs: PairFiles,
    batch: ContrastiveBatch,
    own: slice,
    columns: slice,
) -> Guide | None:
    """The teacher's scores of the whole step; None without a teacher. Each process asks about its own texts only.

    `own`: this process's queries among the batch's; `columns`: its passages.
    """
    if teacher is None:
        return None
    accelerator = training.accelerator
    queries = [pairs.query_text(row) for row in batch.rows[own]]
    shape = (len(batch.rows), len(batch.passages))
    if isinstance(teacher, Teacher):
        passages = [pairs.passage_text(number) for number in batch.passages[columns]]
        every_query, every_passage = (gathered(accelerator, teacher.vectors(texts)) for texts in (queries, passages))
        missing = torch.zeros(shape, dtype=torch.bool, device=accelerator.device)
        return Guide(every_query @ every_passage.T, missing)
    groups = batch.groups[own]
    width = groups.shape[1]
    texts = [pairs.passage_text(batch.passages[column]) for column in groups.reshape(-1)]
    repeated = [query for query in queries for _ in range(width)]
    scores = gathered(accelerator, teacher.scores(repeated, texts).reshape(-1, width))
    columns_of = torch.from_numpy(batch.groups).to(accelerator.device)
    every = torch.zeros(shape, device=accelerator.device).scatter(1, columns_of, scores)
    missing = torch.ones(shape, dtype=torch.bool, device=accelerator.device).scatter(1, columns_of, False)
    return Guide(every, missing)
