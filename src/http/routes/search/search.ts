import { parseFilter } from '../../../retrieval/checks/parse-filter.ts'
import { search } from '../../../retrieval/search.ts'
import { signalOf } from '../../guards/deadline.ts'
import { forClient } from '../../guards/for-client.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import { queryBodyMax } from '../../limits.ts'
import { PROBLEMS, roundTimings, serverTiming } from '../../wire/schemas.ts'
import { warningsOf } from '../../wire/warnings.ts'
import { listsOf, SearchReply } from './search-answer.ts'
import { K_DEFAULT, searchBody, targetOf } from './search-body.ts'

export function searchRoute(server: Server, { config, retrieval }: HttpContext): void {
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
      const { k = K_DEFAULT, include = ['text', 'title', 'metadata'] } = body
      const answer = await search(forClient(await retrieval(request), request), {
        target: targetOf(body),
        k,
        options: {
          fields: include,
          ...(body.filter !== undefined && { filter: parseFilter(body.filter) }),
          ...(body.min_score !== undefined && { floor: body.min_score }),
          tuning: {
            ...(body.ef !== undefined && { ef: body.ef }),
            ...(body.exact !== undefined && { exact: body.exact }),
          },
          signal: signalOf(request),
        },
      })
      const timings = roundTimings(answer.timings)
      reply.header('server-timing', serverTiming(timings))
      return {
        ...listsOf(answer, body.queries !== undefined),
        ...(answer.truncated.length > 0 && { truncated: answer.truncated }),
        ...warningsOf(answer.mostlyUnknown.map((index) => ({ index }))),
        timings_ms: timings,
      }
    },
  )
}
