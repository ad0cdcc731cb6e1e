import type { Random } from '../../index/random.ts'
import type { Tally } from '../part.ts'
import type { ClientDocument, ClientModel } from './client-model.ts'
import type { Service } from './service.ts'

/** A vector of the same text under the same prompt differs by arithmetic only. */
const SAME = 0.9999

/** Everything a client can see, against what it knows: documents, searches, filters, counts. */
export async function checkService(
  service: Service,
  model: ClientModel,
  {
    tally,
    random,
    time,
    end,
    when,
  }: { tally: Tally; random: Random; time?: number; end?: number; when: string },
): Promise<Map<string, ClientDocument>> {
  const documents = await service.documents()
  tally.tried(model.ids.length)
  for (const fault of model.faults(documents, time, end).slice(0, 5)) tally.fail(`${when}: ${fault}`)
  await checkSearches(service, documents, { tally, random, when })
  await checkFilter(service, documents, tally, when)
  return documents
}

/** Like a document: all others of its text come first, by either way to the answer, and k come when k are there. */
async function checkSearches(
  service: Service,
  documents: ReadonlyMap<string, ClientDocument>,
  { tally, random, when }: { tally: Tally; random: Random; when: string },
): Promise<void> {
  const ids = [...documents.keys()]
  for (let i = 0; i < Math.min(6, ids.length); i++) {
    const { id, text, title } = documents.get(random.pick(ids))!
    const same = [...documents.values()].filter((other) => other.text === text && other.title === title)
    const others = same.length - 1
    const body = { like: id, k: Math.min(others + 1, 500), exact: random.next() < 0.5 }
    const answer = await service.send('POST', '/search', body)
    if (answer?.status !== 200) {
      tally.fail(`${when}: search answered ${answer?.status} ${JSON.stringify(answer?.body)}`)
      continue
    }
    const results = answer.body['results'] as { id: string; score: number }[]
    const near = results.filter(({ id: found, score }) => found !== id && score > SAME)
    const wanted = new Set(same.map((other) => other.id))
    const foreign = near.filter(({ id: found }) => !wanted.has(found))
    tally.expect(
      foreign.length === 0,
      `${when}: ${foreign[0]?.id} has the vector of another text than its own`,
    )
    tally.expect(
      near.length >= others,
      `${when}: ${near.length} of ${others} documents of the same text were found`,
    )
    tally.expect(
      results.length === Math.min(body.k, ids.length - 1),
      `${when}: ${results.length} results for k ${body.k}`,
    )
  }
}

async function checkFilter(
  service: Service,
  documents: ReadonlyMap<string, ClientDocument>,
  tally: Tally,
  when: string,
): Promise<void> {
  const filter = { colour: 'red', version: { $gte: 2 } }
  const wanted = [...documents.values()].filter(
    ({ metadata: { colour, version } }) => colour === 'red' && Number(version) >= 2,
  )
  const found = new Set<string>()
  const query = new URLSearchParams({ filter: JSON.stringify(filter), limit: '1000' })
  const answer = await service.send('GET', `/documents?${query}`)
  for (const { id } of (answer?.body['documents'] ?? []) as ClientDocument[]) found.add(id)
  const missing = wanted.filter(({ id }) => !found.has(id)).length
  const right = missing === 0 && found.size === wanted.length
  if (wanted.length < 1000) tally.expect(right, `${when}: a filter found ${found.size} of ${wanted.length}`)
}
