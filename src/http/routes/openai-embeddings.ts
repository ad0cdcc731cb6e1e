import { type Static, Type } from 'typebox'
import type { EncoderCard } from '../../encoder/encoder.ts'
import { ServiceError } from '../../errors.ts'
import { embed } from '../../retrieval/embed.ts'
import { signalOf } from '../guards/deadline.ts'
import { forClient } from '../guards/for-client.ts'
import type { HttpContext, Server } from '../http-context.ts'
import type { HttpLimits } from '../limits.ts'
import { oneOf, PROBLEMS, roundTimings, serverTiming } from '../wire/schemas.ts'
import { jsonBody, listOf, vectorJson } from '../wire/vector-format.ts'
import { warningsOf, warningsSchema } from '../wire/warnings.ts'

type InputType = 'query' | 'document'

const bodySchema = ({ textsPerRequestMax }: HttpLimits) =>
  Type.Object(
    {
      // Elements are checked by hand: callers who send token ids learn what to send instead.
      input: Type.Unsafe<string | unknown[]>({
        type: ['string', 'array'],
        items: {},
        maxItems: textsPerRequestMax,
        description: 'A text or a list of texts. Token ids are refused.',
        examples: ['why is the sky blue'],
      }),
      model: Type.String({
        description:
          'The model id from GET /info. Clients that cannot send `input_type` use `<id>:query` or `<id>:document`.',
        examples: ['llara-mini:query'],
      }),
      input_type: Type.Optional(
        oneOf(['query', 'document'], {
          description:
            'What the texts are. The model embeds queries and documents differently, so a request must say which.',
        }),
      ),
      encoding_format: Type.Optional(oneOf(['float', 'base64'])),
      dimensions: Type.Optional(
        Type.Integer({ description: "The model's own number of dimensions; vectors are not shortened." }),
      ),
      user: Type.Optional(Type.String({ description: 'Ignored.' })),
    },
    {
      additionalProperties: false,
      examples: [{ model: 'llara-mini', input: ['Blue light is scattered.'], input_type: 'document' }],
    },
  )

const Answer = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(
    Type.Object({
      object: Type.Literal('embedding'),
      index: Type.Integer(),
      embedding: Type.Union([
        Type.Array(Type.Number()),
        Type.String({ description: 'base64 of little-endian float32' }),
      ]),
    }),
  ),
  model: Type.String(),
  usage: Type.Object(
    { prompt_tokens: Type.Integer(), total_tokens: Type.Integer() },
    {
      description:
        'Tokens that the model read: of a text that was cut, what is left. Prompts included. Both numbers are the same.',
    },
  ),
  truncated: Type.Optional(
    Type.Array(Type.Integer(), {
      description:
        'Indexes of the texts that were longer than the model reads and were cut; absent when none was.',
    }),
  ),
  warnings: warningsSchema({ index: Type.Integer({ description: 'Of the text.' }) }),
})

/** OpenAI's embeddings API, with the prompt made explicit. */
export function openaiEmbeddingsRoute(server: Server, { config, collections }: HttpContext): void {
  server.post(
    '/v1/embeddings',
    {
      config: { access: 'read', reach: 'none' },
      schema: {
        tags: ['embeddings'],
        operationId: 'openaiEmbeddings',
        summary: "Embed texts (OpenAI's API)",
        description: 'A text longer than the model reads is cut at its end; the prompt is never cut.',
        body: bodySchema(config),
        response: { 200: Answer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { body } = request
      const found = collections().default
      const { card } = found.encoder
      const prompt = inputTypeOf(body, card) === 'query' ? 'ebar' : 'ebae'
      const texts = textsOf(body.input)
      const { encoding_format: format = 'float', dimensions = card.dimensions } = body
      if (dimensions !== card.dimensions) {
        const message = `dimensions must be ${card.dimensions} or left out; this model's vectors are not shortened.`
        throw new ServiceError('INVALID_INPUT', message, { field: 'dimensions' })
      }
      const result = await embed(forClient(found, request), {
        texts,
        prompts: [prompt],
        truncate: 'end',
        field: 'input',
        signal: signalOf(request),
      })
      reply.header('server-timing', serverTiming(roundTimings(result.timings)))
      reply.type('application/json; charset=utf-8')
      const vectors = result.vectors[prompt]
      const usage = { prompt_tokens: result.tokens, total_tokens: result.tokens }
      function* pieces() {
        const cut = result.truncated.length > 0 && { truncated: result.truncated }
        const warnings = warningsOf(result.mostlyUnknown.map((index) => ({ index })))
        const head = { object: 'list', model: body.model, usage, ...cut, ...warnings }
        yield `${JSON.stringify(head).slice(0, -1)},"data":`
        yield* listOf(
          vectors,
          (vector, index) =>
            `{"object":"embedding","index":${index},"embedding":${vectorJson(vector, format)}}`,
        )
        yield '}'
      }
      return reply.send(jsonBody(pieces(), texts.length * card.dimensions) as never)
    },
  )
}

/** @throws ServiceError NOT_FOUND (another model), INVALID_INPUT (not said, or said twice and differently) */
function inputTypeOf(
  { model, input_type }: Static<ReturnType<typeof bodySchema>>,
  { id }: EncoderCard,
): InputType {
  const suffix = model.startsWith(`${id}:`) ? model.slice(id.length + 1) : undefined
  if (model !== id && suffix !== 'query' && suffix !== 'document') {
    const message = `This service serves ${id}; name it, ${id}:query or ${id}:document.`
    throw new ServiceError('NOT_FOUND', message, { field: 'model' })
  }
  const named = suffix as InputType | undefined
  const type = input_type ?? named
  if (type === undefined) {
    const message = `Say what the texts are: input_type "query" or "document", or the model name ${id}:query or ${id}:document.`
    throw new ServiceError('INVALID_INPUT', message, { field: 'input_type' })
  }
  if (named !== undefined && named !== type) {
    throw new ServiceError(
      'INVALID_INPUT',
      'input_type and the suffix of the model name differ; send one of them.',
      {
        field: 'input_type',
      },
    )
  }
  return type
}

/** @throws ServiceError INVALID_INPUT */
function textsOf(input: string | unknown[]): string[] {
  const texts = typeof input === 'string' ? [input] : input
  if (texts.length === 0) throw new ServiceError('INVALID_INPUT', 'input is empty.', { field: 'input' })
  const strings = texts.filter((text) => typeof text === 'string')
  if (strings.length < texts.length) {
    const message = 'input must be texts. Token ids cannot be used: they belong to another tokenizer.'
    throw new ServiceError('INVALID_INPUT', message, { field: 'input' })
  }
  return strings
}
