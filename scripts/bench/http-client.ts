import { setTimeout as sleep } from 'node:timers/promises'

/** Documents as NDJSON, a piece at a time. `prefix` keeps rounds from replacing each other. */
async function* ndjson(texts: readonly string[], prefix: string, stopped: () => boolean) {
  for (let i = 0; i < texts.length && !stopped(); i++) {
    yield Buffer.from(`${JSON.stringify({ id: `${prefix}-${i}`, text: texts[i] })}\n`)
  }
}

/** Streams documents in; resolves to how many were stored. */
export async function ingest(
  url: string,
  texts: readonly string[],
  prefix: string,
  stopped: () => boolean = () => false,
): Promise<number> {
  const answer = await fetch(`${url}/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: ReadableStream.from(ndjson(texts, prefix, stopped)),
    duplex: 'half',
  } as RequestInit)
  const { created, updated } = (await answer.json()) as { created: number; updated: number }
  if (!answer.ok) throw new Error(`ingest answered ${answer.status}`)
  return created + updated
}

/** Milliseconds of each of `count` searches, one after the other with a pause between. */
export async function searches(
  url: string,
  queries: readonly string[],
  count: number,
  pauseMs = 10,
): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    const answer = await fetch(`${url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: queries[(i + Math.floor(Math.random() * queries.length)) % queries.length],
        k: 10,
        mode: 'dense',
      }),
    })
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`search answered ${answer.status}`)
    times.push(performance.now() - started)
    if (pauseMs > 0) await sleep(pauseMs)
  }
  return times
}
