/**
 * Options of the structured log: JSON lines on standard error. Standard output is left to the few lines for people.
 * Requests are logged by route pattern, method, status and id alone: paths, queries, headers and bodies hold
 * texts, filters and keys. What slips in under these names is cut.
 */
export function loggerOptions(level: string) {
  return {
    level,
    base: { pid: process.pid },
    stream: process.stderr,
    redact: {
      paths: [
        'text',
        'texts',
        'query',
        'queries',
        'vector',
        'vectors',
        'key',
        'authorization',
        'headers',
        'body',
      ],
      remove: true,
    },
    serializers: {
      req: ({ id, method }: { id: string; method: string }) => ({ id, method }),
      res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
    },
  }
}
