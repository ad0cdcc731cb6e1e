import { setTimeout as sleep } from 'node:timers/promises'
import type { Encoder } from '../../src/encoder/encoder.ts'
import { quantile } from './sample-texts.ts'

interface Latency {
  /** Milliseconds. */
  p50: number
  p99: number
}

const QUERIES = 200
const PAUSE_MS = 10
const QUERY = 'how long does the ferry take to cross the strait in winter'
const PASSAGE =
  'The ferry leaves twice a day from the small harbour on the north side and needs most of an hour to reach ' +
  'the island, more when the wind comes from the west; in winter it may not sail for days. '

/** Single queries in the interactive lane, first with nothing else to do, then with bulk work always waiting. */
export async function measureLatency(encoder: Encoder): Promise<[string, Latency][]> {
  await queries(encoder, 20)
  const idle = await queries(encoder, QUERIES)
  let stop = false
  const feed = async () => {
    const texts = Array.from({ length: 64 }, (_, i) => PASSAGE.repeat(1 + (i % 6)))
    while (!stop) await encoder.encode(texts, ['ebae'])
  }
  const feeds = [feed(), feed()]
  await sleep(500)
  const loaded = await queries(encoder, QUERIES)
  stop = true
  await Promise.all(feeds)
  return [
    ['idle', idle],
    ['under bulk load', loaded],
  ]
}

async function queries(encoder: Encoder, count: number): Promise<Latency> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await encoder.encode([QUERY], ['ebar'], { lane: 'interactive' })
    times.push(performance.now() - start)
    await sleep(PAUSE_MS)
  }
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}
