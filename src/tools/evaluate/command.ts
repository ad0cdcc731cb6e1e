import { defineCommand } from '../../cli/command.ts'
import { invalidUsage } from '../../cli/tool-error.ts'
import { EVALUATE_OPTIONS } from './evaluate-options.ts'
import { judgeSets } from './judge-sets.ts'

/** Measures how well a model or a running service searches judged sets. */
export const evaluateCommand = defineCommand({
  name: 'evaluate',
  npm: 'npm run evaluate --',
  about:
    "Stores a judged set in BEIR's layout (corpus.jsonl, queries.jsonl, qrels.tsv or qrels/test.tsv) with the\n" +
    "service's own code in a temporary index and asks every judged query twice: with every document scored (exact:\n" +
    "the model alone), and as users' searches are answered (hnsw: through the HNSW graph). What the figures mean:\n" +
    'docs/evaluation.md.',
  operands: { name: 'FOLDER', noun: 'folder with a judged set', many: true },
  options: EVALUATE_OPTIONS,
  async run({ given, operands, args }, terminal) {
    if (given.keep && operands.length > 1)
      throw invalidUsage('--keep takes one folder: the documents of the next would mix with it.')
    if (given.modes?.includes('rerank') && !given.url && !given.reranker)
      throw invalidUsage('--modes rerank needs --reranker, or a service (--url) that runs one.')
    await judgeSets(operands, given, args, terminal)
  },
})
