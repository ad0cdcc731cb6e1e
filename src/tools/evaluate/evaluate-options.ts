import {
  choice,
  choices,
  flag,
  type Given,
  inGroup,
  text,
  wholeNumber,
  withDefault,
} from '../../cli/option.ts'
import { JUDGED_MODES } from './figures/judge-modes.ts'

const COUNT = [1, 999_999_999] as const

export const EVALUATE_OPTIONS = {
  split: text('NAME', 'judgements from qrels/NAME.tsv'),
  queries: wholeNumber('N', COUNT, 'only the first N judged queries'),
  sameId: withDefault(
    choice(
      'RULE',
      ['auto', 'keep', 'leave-out'],
      "whether a document with the query's own id counts as a result. BEIR leaves it out, for sets that ask with their " +
        'own documents; auto does so where the texts show that the set is one',
    ),
    'auto',
  ),
  ef: wholeNumber('N', COUNT, "breadth of the walk through the HNSW graph; default the index's own"),
  bm25: flag("figures of BM25, the keyword baseline, beside the model's (k1 0.9, b 0.4, Porter's stemmer)"),
  modes: {
    ...choices(
      'MODES',
      JUDGED_MODES,
      'ways of searching to compare, such as dense,lexical,hybrid: figures of each, as users are answered, in one table. ' +
        'rerank is hybrid with its first 100 hits reranked',
    ),
    excludes: ['prompts', 'against', 'writeCard'],
  },
  prompts: flag(
    'what the two prompts are worth: right, swapped, the same on both sides. EBAR, for queries, asks what comes ' +
      'next; EBAE, for documents, what the text says. Embeds the texts once more',
  ),
  against: {
    ...text(
      'MODEL',
      'drift, which is how far the vectors lie from those of another model of the same weights, such as int8 from ' +
        'fp32: cosines, and the change in nDCG',
    ),
    excludes: ['url'],
  },
  sample: wholeNumber(
    'N',
    COUNT,
    'documents embedded for --prompts and --against at most, not counting judged ones; default 20000',
  ),
  ...inGroup('In this process', {
    model: { ...text('NAME|PATH', 'model folder; default llara-mini'), excludes: ['url'] },
    reranker: {
      ...text('NAME|PATH', 'model folder of the reranker, for --modes rerank'),
      excludes: ['url'],
      needs: 'modes',
    },
    device: {
      ...withDefault(choice('DEVICE', ['auto', 'cpu', 'cuda'], 'auto, cpu or cuda'), 'auto'),
      excludes: ['url'],
    },
    passages: {
      ...flag('documents are cut into passages as long as the model reads, instead of at the end'),
      excludes: ['url'],
    },
    writeCard: {
      ...flag("put the figures into the model's card as well; whole sets only"),
      excludes: ['url', 'queries'],
    },
  }),
  ...inGroup('Or against a running service, which must be empty; what was stored is removed afterwards', {
    url: text('URL', 'such as http://127.0.0.1:8080'),
    apiKeyFile: { ...text('FILE', 'a file that holds a key of scope write'), needs: 'url' },
    keep: { ...flag("leave the documents there, under the set's own ids"), needs: 'url' },
    useExisting: {
      ...flag("store nothing, only ask: the service holds the set already, under the set's ids"),
      needs: 'url',
      excludes: ['keep'],
    },
  }),
  ...inGroup('Output', {
    json: { ...flag('one JSON object per set on standard output, nothing else'), excludes: ['markdown'] },
    markdown: flag('one table of all sets, to paste into a README'),
    out: text('FILE', 'the JSON objects as a list into FILE as well, after every set'),
  }),
} as const

export type EvaluateOptions = Given<typeof EVALUATE_OPTIONS>
