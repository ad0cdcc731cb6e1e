import { DOCUMENT_FIELDS } from '../../../index/document.ts'
import { dateFieldsOf } from '../../../retrieval/checks/check-dates.ts'
import { parseFilter } from '../../../retrieval/checks/parse-filter.ts'
import { search } from '../../../retrieval/search/search.ts'
import { signalOf } from '../../guards/deadline.ts'
import { forClient } from '../../guards/for-client.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import { queryBodyMax } from '../../limits.ts'
import { PROBLEMS, roundTimings, serverTiming } from '../../wire/schemas.ts'
import { warningsOf } from '../../wire/warnings.ts'
import { facetsOf } from '../metadata/facets.ts'
import { splitInclude } from '../vectors/stored-vectors.ts'
import { fusionOf } from './fusion.ts'
import { pageOf } from './pages.ts'
import { excerptsWanted } from './passages.ts'
import { noteRerank, rerankReport, rerankWishOf } from './rerank.ts'
import { hitVectors, listsOf, SearchReply } from './search-answer.ts'
import { searchBody, targetOf } from './search-body.ts'

export function searchRoute(server: Server, { config, metrics, retrieval }: HttpContext): void {
  server.post(
    '/search',
    {
      bodyLimit: queryBodyMax(config).bytes,
      config: { access: 'read' },
      schema: {
        tags: ['search'],
        operationId: 'search',
        summary: 'Find documents',
        body: searchBody(config),
        response: { 200: SearchReply, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { body } = request
      const { encoding_format: format = 'float' } = body
      const { fields = DOCUMENT_FIELDS, withVectors } = splitInclude(
        body.include?.filter((name) => name !== 'passage'),
      )
      const parts = forClient(await retrieval(request), request)
      const excerpts = excerptsWanted(body, parts.index.settings)
      const shared = {
        ...(body.filter !== undefined && {
          filter: parseFilter(body.filter, dateFieldsOf(parts.index.settings)),
        }),
        signal: signalOf(request),
      }
      const searched = search(parts, {
        target: targetOf(body),
        ...pageOf(body, config),
        excerpts,
        ...(body.mode !== undefined && { mode: body.mode }),
        ...(body.fusion !== undefined && { fusion: fusionOf(body.fusion) }),
        ...(body.rerank !== undefined && { rerank: rerankWishOf(body.rerank, reply, config) }),
        ...(body.min_score !== undefined && { minScore: body.min_score }),
        ...(body.highlight !== undefined && { highlight: body.highlight }),
        options: {
          ...shared,
          fields,
          tuning: {
            ...(body.ef !== undefined && { ef: body.ef }),
            ...(body.exact !== undefined && { exact: body.exact }),
          },
        },
      })
      const [answer, facets] = await Promise.all([searched, facetsOf(parts, body, shared)])
      const wish = { format, limits: config, signal: shared.signal }
      const vectors = withVectors ? await hitVectors(parts.index, answer, wish) : undefined
      metrics.observeSearch(answer.mode, answer.timings.total / 1000)
      if (answer.rerank) noteRerank(answer.rerank, request.log, metrics)
      const timings = roundTimings(answer.timings)
      reply.header('server-timing', serverTiming(timings))
      return {
        ...listsOf(answer, { many: body.queries !== undefined, passage: excerpts?.shown ?? false }, vectors),
        ...facets,
        mode: answer.mode,
        ...(answer.rerank && { rerank: rerankReport(answer.rerank, body.queries !== undefined) }),
        ...(answer.truncated.length > 0 && { truncated: answer.truncated }),
        ...warningsOf(answer.mostlyUnknown.map((index) => ({ index }))),
        timings_ms: timings,
      }
    },
  )
}
