import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import request from 'supertest'
import { createApp } from '../../../src/app.ts'
import { defaultConfig } from '../../../src/config/read.ts'
import type { Config } from '../../../src/config/settings.ts'
import type { SearchMode } from '../../../src/index/collection-settings.ts'

/** Texts that are found by what they mean, by a word, or by both. */
export const LIBRARY = [
  [
    'tides',
    'Tides',
    'The Moon pulls the sea towards it, so the water rises and falls twice a day.',
    'nature',
  ],
  ['waves', 'Waves', 'Wind over open water makes waves; the longer it blows, the higher they are.', 'nature'],
  ['rain', 'Rain', 'Warm air carries water up until it cools and falls as drops.', 'nature'],
  ['bread', 'Sourdough', 'Wild yeast in the starter makes the dough rise and taste sour.', 'kitchen'],
  ['soup', 'Soup', 'Onions are fried slowly until they are brown, then boiled in broth.', 'kitchen'],
  ['oven', 'Oven fault', 'The display shows E1042 when the door of the oven does not lock.', 'kitchen'],
  ['tyres', 'Tyre pressure', 'Soft tyres roll harder: check the pressure once a month.', 'car'],
  ['oil', 'Oil', 'Old oil is dark and thin; change it before winter.', 'car'],
  ['alarm', 'Alarm', 'After error E1042 disconnect the battery for ten minutes.', 'car'],
].map(([id, title, text, topic]) => ({ id: id!, title: title!, text: text!, metadata: { topic: topic! } }))

export interface SearchReply {
  mode: SearchMode
  results: Result[]
  batches: Result[][]
  rerank?: { model: string; applied: boolean; reason?: string; unranked?: number[] }
  timings_ms: Record<string, number>
}

interface Result {
  id: string
  score: number
  text?: string
  rerank?: { score: number; former_rank: number }
  legs?: Partial<Record<'dense' | 'lexical', { rank: number; score: number }>>
}

/** The service with the bundled model and its own index, in a folder of its own. */
export async function openLibrary(documents: readonly object[] = LIBRARY, settings: Partial<Config> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'llara-hybrid-'))
  const config = { ...defaultConfig(), port: 0, logLevel: 'silent' as const, dataDir, threads: 1 }
  const app = await createApp({ ...config, ...settings })
  const { url, retrieval } = await app.start()
  const http = () => request(url)
  await http().post('/documents').send({ documents }).expect(200)
  return {
    url,
    retrieval,
    http,
    async search(body: object): Promise<SearchReply> {
      const { body: reply } = await http().post('/search').send(body).expect(200)
      return reply as SearchReply
    },
    async close() {
      await app.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
