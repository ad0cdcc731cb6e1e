import type { preValidationAsyncHookHandler } from 'fastify'
import { Type } from 'typebox'
import type { Metadata } from '../../../index/json.ts'
import { patchMetadata, patchOne } from '../../../retrieval/documents.ts'
import { signalOf } from '../../guards/deadline.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import { queryBodyMax } from '../../limits.ts'
import { Id, MetadataSchema, PROBLEMS } from '../../wire/schemas.ts'
import { TARGET_RULE, targetFields, targetOf } from './target.ts'

/** Null is a value of its own here: it takes all metadata away. */
const Patch = Type.Unsafe<Metadata | null>({
  type: ['object', 'null'],
  additionalProperties: true,
  description:
    'A JSON merge patch (RFC 7396): fields replace those of the same name, objects are merged, null takes a field away. null itself takes all of them away.',
  examples: [{ year: 2022, draft: null, author: { name: 'M. Ito' } }],
})

const PatchBody = Type.Object({ metadata: Patch }, { additionalProperties: false })

/** Changes of metadata that leave texts and vectors as they are. @param takePlace before each of them */
export function patchRoutes(
  server: Server,
  { config, retrieval }: HttpContext,
  takePlace: preValidationAsyncHookHandler,
): void {
  server.patch(
    '/documents/:id',
    {
      preValidation: takePlace,
      config: { access: 'write' },
      schema: {
        tags: ['documents'],
        operationId: 'patchDocument',
        summary: "Change a document's metadata",
        description:
          'Nothing is embedded again, so only `metadata` can be changed; store the document again to change its text or title. Patches at the same time do not undo each other.',
        params: Type.Object({ id: Id }),
        body: {
          content: {
            'application/merge-patch+json': { schema: PatchBody },
            'application/json': { schema: PatchBody },
          },
        },
        response: {
          200: Type.Object(
            { id: Id, metadata: MetadataSchema },
            { description: 'What its metadata is now.' },
          ),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const { metadata } = request.body as { metadata: Metadata | null }
      return patchOne(await retrieval(request), request.params.id, metadata, { signal: signalOf(request) })
    },
  )

  server.post(
    '/documents/patch',
    {
      preValidation: takePlace,
      bodyLimit: queryBodyMax(config).bytes,
      config: { access: 'write', audit: true },
      schema: {
        tags: ['documents'],
        operationId: 'patchDocuments',
        summary: 'Change the metadata of documents by id, by filter, or of all',
        description: 'All of them or, where it fails, none: an id without a document is a 404.',
        body: Type.Object(
          { ...targetFields(config, 'Change every document.'), metadata: Patch },
          {
            additionalProperties: false,
            description: TARGET_RULE,
            examples: [{ filter: { author: 'Ito' }, metadata: { author: 'M. Ito' } }],
          },
        ),
        response: {
          200: Type.Object({ patched: Type.Integer({ description: 'How many documents were patched.' }) }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const { metadata, ...target } = request.body
      const options = { signal: signalOf(request) }
      const parts = await retrieval(request)
      const { patched } = await patchMetadata(parts, targetOf(target, parts.index), metadata, options)
      return { patched }
    },
  )
}
