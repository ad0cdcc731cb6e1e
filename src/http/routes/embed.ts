import { Type } from 'typebox'
import { type EmbedResult, embed } from '../../retrieval/embed.ts'
import { signalOf } from '../guards/deadline.ts'
import { forClient } from '../guards/for-client.ts'
import type { HttpContext, Server } from '../http-context.ts'
import type { HttpLimits } from '../limits.ts'
import {
  oneOf,
  PROBLEMS,
  roundTimings,
  serverTiming,
  TimingsSchema,
  TruncateSchema,
} from '../wire/schemas.ts'
import { type EncodingFormat, jsonBody, listOf, vectorJson } from '../wire/vector-format.ts'
import { warningsOf, warningsSchema } from '../wire/warnings.ts'

const bodySchema = ({ textsPerRequestMax }: HttpLimits) =>
  Type.Object(
    {
      texts: Type.Array(Type.String(), {
        minItems: 1,
        maxItems: textsPerRequestMax,
        examples: [['why is the sky blue']],
      }),
      prompt: oneOf(['ebar', 'ebae', 'both'], {
        description:
          '`ebar` for queries, `ebae` for documents and for similarity search, `both` for both vectors, from one joint pass where the model’s two prompts begin alike (it then reads the text once), else from two.',
      }),
      truncate: Type.Optional(TruncateSchema),
      encoding_format: Type.Optional(
        oneOf(['float', 'base64', 'int8'], {
          description:
            '`float` (default): JSON numbers, eight decimals. `base64`: little-endian float32. `int8`: base64 of signed bytes; divide by 127.',
        }),
      ),
    },
    { additionalProperties: false, examples: [{ texts: ['why is the sky blue'], prompt: 'ebar' }] },
  )

const Vectors = Type.Array(Type.Union([Type.Array(Type.Number()), Type.String({ description: 'base64' })]), {
  description: 'Vectors of unit length, in the order of `texts`.',
})
const Answer = Type.Object({
  model: Type.String(),
  dimensions: Type.Integer(),
  embeddings: Type.Optional(Vectors),
  ebar: Type.Optional(Vectors),
  ebae: Type.Optional(Vectors),
  usage: Type.Object({
    tokens: Type.Integer({
      description: 'Tokens that the model read: of a text that was cut, what is left. Prompts included.',
    }),
  }),
  truncated: Type.Array(Type.Integer(), {
    description: 'Indexes of the texts that were longer than the model reads and were cut.',
  }),
  warnings: warningsSchema({ index: Type.Integer({ description: 'Of the text.' }) }),
  timings_ms: TimingsSchema,
})

export function embedRoute(server: Server, { config, collections }: HttpContext): void {
  server.post(
    '/embed',
    {
      config: { access: 'read', reach: 'none' },
      schema: {
        tags: ['embeddings'],
        operationId: 'embed',
        summary: 'Embed texts',
        description: 'With `prompt: both` the vectors are in `ebar` and `ebae`, otherwise in `embeddings`.',
        body: bodySchema(config),
        response: { 200: Answer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { texts, prompt, truncate = 'end', encoding_format: format = 'float' } = request.body
      const found = collections().default
      const { encoder } = found
      const { id, dimensions } = encoder.card
      const result = await embed(forClient(found, request), {
        texts,
        prompts: prompt === 'both' ? ['ebar', 'ebae'] : [prompt],
        truncate,
        field: 'texts',
        signal: signalOf(request),
      })
      const timings = roundTimings(result.timings)
      reply.header('server-timing', serverTiming(timings)).type('application/json; charset=utf-8')
      const tail = {
        model: id,
        dimensions,
        usage: { tokens: result.tokens },
        truncated: result.truncated,
        ...warningsOf(result.mostlyUnknown.map((index) => ({ index }))),
        timings_ms: timings,
      }
      const numbers = texts.length * dimensions * (prompt === 'both' ? 2 : 1)
      // Written by hand, row by row: the generic serialiser would hold the event loop for all rows at once.
      return reply.send(jsonBody(pieces(result, prompt, format, tail), numbers) as never)
    },
  )
}

function* pieces(
  { vectors }: EmbedResult,
  prompt: 'ebar' | 'ebae' | 'both',
  format: EncodingFormat,
  tail: object,
): Generator<string> {
  yield `${JSON.stringify(tail).slice(0, -1)}`
  const names = prompt === 'both' ? (['ebar', 'ebae'] as const) : [prompt]
  for (const name of names) {
    yield `,"${prompt === 'both' ? name : 'embeddings'}":`
    yield* listOf(vectors[name] ?? [], (vector) => vectorJson(vector, format))
  }
  yield '}'
}
