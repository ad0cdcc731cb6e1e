import { type Static, Type } from 'typebox'
import type { CollectionInfo } from '../../../collections/collections.ts'
import type { NewCollection } from '../../../collections/vector-space.ts'
import {
  ANALYSES,
  type CollectionSettings,
  DIMENSIONS_MAX,
  HNSW_BOUNDS,
  SEARCH_MODES,
} from '../../../index/collection-settings.ts'
import type { IndexStats } from '../../../index/document-index.ts'
import { checkChunking } from '../../../retrieval/checks/check-chunking.ts'
import { parsePath } from '../../../retrieval/checks/parse-path.ts'
import { oneOf } from '../../wire/schemas.ts'

export const CollectionName = Type.String({
  maxLength: 64,
  description: 'Name of a collection: 1 to 64 of a-z, 0-9, _ and -, a letter or digit first. Or an alias.',
  examples: ['docs'],
})

const integer = ([minimum, maximum]: readonly [number, number], description: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, description }))

const ef = integer(HNSW_BOUNDS.ef, 'Candidates kept during a search that does not say `ef`.')
const Mode = oneOf([...SEARCH_MODES], {
  description: 'How a search finds documents that does not say `mode`.',
})
export const ChunkingSchema = Type.Object(
  {
    kind: oneOf(['whole', 'passages'], {
      description: '`whole`: a vector of all of a document. `passages`: one for each of its passages.',
    }),
    tokens: integer(
      [1, 1_000_000],
      'With `passages`: most tokens of one, its title included; at least 16. Default: as many as the model reads.',
    ),
    overlap: integer(
      [0, 1_000_000],
      'With `passages`: tokens that one repeats of the one before at most, in whole sentences. Default 0.',
    ),
    title: Type.Optional(
      Type.Boolean({ description: 'With `passages`: whether each has the title before it. Default true.' }),
    ),
  },
  { additionalProperties: false },
)
const Hnsw = Type.Object(
  {
    m: integer(HNSW_BOUNDS.m, 'Links per vector.'),
    ef_construction: integer(HNSW_BOUNDS.efConstruction, 'Candidates weighed while a vector is linked in.'),
    ef,
  },
  {
    additionalProperties: false,
    description: 'Of the HNSW graph; what is left out is as the service has it.',
  },
)

/** What may be said of a collection when it is made. */
export const SettingsFields = {
  chunking: Type.Optional(ChunkingSchema),
  analysis: Type.Optional(
    oneOf([...ANALYSES], {
      description:
        'How words are found. `english`: without endings. `plain`: as they are. `trigram`: every three characters, for languages without spaces.',
    }),
  ),
  mode: Type.Optional(Mode),
  hnsw: Type.Optional(Hnsw),
  dates: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
      maxItems: 64,
      description:
        'Metadata fields, as filters write them, whose strings are dates of RFC 3339: filters, sorting and facets take them for instants, and other strings are refused there.',
      examples: [['published']],
    }),
  ),
}

export const NewCollectionBody = Type.Object(
  {
    model: Type.Optional(
      Type.String({
        description: 'The model that its vectors are of: only the one that runs. Default: that.',
      }),
    ),
    vectors: Type.Optional(
      Type.Object(
        { dimensions: Type.Integer({ minimum: 1, maximum: DIMENSIONS_MAX }) },
        {
          additionalProperties: false,
          description: 'For vectors of your own, which you give with each document and each search.',
        },
      ),
    ),
    ...SettingsFields,
  },
  { additionalProperties: false, examples: [{}, { vectors: { dimensions: 768 } }] },
)

export const ChangeBody = Type.Object(
  {
    mode: Type.Optional(Mode),
    hnsw: Type.Optional(Type.Object({ ef }, { additionalProperties: false })),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ mode: 'hybrid' }] },
)

/** How documents are cut, as answers say it. */
export const ChunkingFields = {
  chunking: Type.Optional(ChunkingSchema),
  earlier_chunking: Type.Optional(
    Type.Object(ChunkingSchema.properties, {
      description: 'While some documents are still cut as they were before the chunking changed.',
    }),
  ),
}

export const CollectionAnswer = Type.Object({
  name: Type.String(),
  aliases: Type.Array(Type.String()),
  vectors: oneOf(['model', 'own', 'other_model', 'unusable'], {
    description:
      '`model`: of the model that runs. `own`: the ones you give. `other_model`: of a model that does not run here; documents can be read, and searched by vector. `unusable`: `problem` says why it cannot be opened.',
  }),
  problem: Type.Optional(Type.String()),
  dimensions: Type.Optional(Type.Integer()),
  fingerprint: Type.Optional(
    Type.String({
      description: 'Identity of the model that its vectors are of; absent where they are your own.',
    }),
  ),
  documents: Type.Optional(Type.Integer({ description: 'Absent in the list.' })),
  passages: Type.Optional(Type.Integer({ description: 'Absent in the list.' })),
  damaged_documents: Type.Optional(
    Type.Integer({
      description: 'Left out of every answer, because they are damaged on the disk. Absent in the list.',
    }),
  ),
  ...SettingsFields,
  ...ChunkingFields,
})

type SettingsBody = Omit<Static<typeof NewCollectionBody>, 'model' | 'vectors'>

/**
 * @param tokensMax most tokens that the model reads of a document
 * @throws ServiceError INVALID_INPUT for settings that do not go together
 */
export function settingsOf(
  { chunking, hnsw, ...others }: SettingsBody,
  tokensMax: number,
): NewCollection['settings'] {
  const settings: Partial<CollectionSettings> = Object.fromEntries(
    Object.entries(others).filter(([, value]) => value !== undefined),
  )
  for (const [i, field] of (others.dates ?? []).entries()) parsePath(field, `dates[${i}]`)
  if (chunking) settings.chunking = checkChunking(chunking, tokensMax)
  if (hnsw) {
    const { m, ef_construction: efConstruction, ef } = hnsw
    settings.hnsw = {
      ...(m !== undefined && { m }),
      ...(efConstruction !== undefined && { efConstruction }),
      ...(ef !== undefined && { ef }),
    }
  }
  return settings
}

export function answerOf(info: CollectionInfo & { stats?: IndexStats }): Static<typeof CollectionAnswer> {
  const { settings, stats, vectors, fingerprint, ...facts } = info
  return {
    ...facts,
    vectors,
    ...(fingerprint !== undefined && vectors !== 'own' && { fingerprint }),
    ...(stats && {
      documents: stats.documents,
      passages: stats.passages,
      damaged_documents: stats.own['damagedDocuments'] ?? 0,
    }),
    ...(settings && wireSettings(settings)),
  }
}

export function chunkingOf({
  chunking,
  earlierChunking,
}: Pick<CollectionSettings, 'chunking' | 'earlierChunking'>) {
  return { chunking, ...(earlierChunking && { earlier_chunking: earlierChunking }) }
}

function wireSettings({ analysis, mode, hnsw, dates, ...settings }: CollectionSettings) {
  const { m, efConstruction, ef } = hnsw
  return {
    ...chunkingOf(settings),
    analysis,
    mode,
    hnsw: {
      ...(m !== undefined && { m }),
      ...(efConstruction !== undefined && { ef_construction: efConstruction }),
      ...(ef !== undefined && { ef }),
    },
    dates: [...dates],
  }
}
