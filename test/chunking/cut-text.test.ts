import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { cutText } from '../../src/chunking/cut-text.ts'
import type { Span } from '../../src/index/document.ts'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { checkpointFolder } from '../fixtures/tiny-model.ts'

const bundled = fileURLToPath(new URL('../../models/llara-mini', import.meta.url))
const load = (folder: string) => BodyTokenizer.load(readFileSync(join(folder, 'tokenizer.json'), 'utf8'))
const wordPiece = load(bundled)
const byteFallback = load(checkpointFolder('mha-paper'))

const counter = (tokenizer: BodyTokenizer) => async (texts: readonly string[]) =>
  Uint32Array.from(await tokenizer.encode(texts), ({ length }) => length)

function cut(text: string, tokens = 64, overlap = 0, tokenizer = wordPiece): Promise<Span[]> {
  return cutText(text, counter(tokenizer), { tokens, overlap, passagesMax: 10_000, field: 'text' })
}

const slices = (text: string, spans: readonly Span[]) => spans.map(({ start, end }) => text.slice(start, end))

const SENTENCES = Array.from({ length: 40 }, (_, i) => `Keeper ${i} lit the lamp at ${i} o'clock.`)
const ENGLISH = SENTENCES.join(' ')
const ODD: Record<string, string> = {
  sentences: ENGLISH,
  'no sentence ends': 'and then another thing goes on '.repeat(200),
  'one letter': 'a'.repeat(20_000),
  digests: Array.from({ length: 600 }, (_, i) => ((i * 2654435761) >>> 0).toString(16)).join(''),
  'a long word among short ones': `It says ${'antidisestablishment'.repeat(200)} and nothing else. ${ENGLISH}`,
  Chinese: '我们今天去公园玩。天气很好!你呢?'.repeat(80),
  'Thai, without spaces': 'ภาษาไทยไม่มีช่องว่าง'.repeat(200),
  Hangul: '등대지기는 매일 저녁 날씨를 적었다. '.repeat(60),
  'families of emoji': '👩‍👩‍👧‍👦🏳️‍🌈🇩🇪🇫🇷'.repeat(200),
  'letters beyond the first plane': '𝒜𝒷𝒸'.repeat(800),
  'accents without end': `a${'\u0301'.repeat(9000)}`,
  'lines of Windows': 'The lamp was lit.\r\nThe sea was calm\r\n'.repeat(100),
  spaces: `first${' '.repeat(9000)}last`,
  'invisible characters': `first${'\u200b'.repeat(9000)}last`,
}

describe.each([
  ['WordPiece', wordPiece],
  ['merges with bytes', byteFallback],
] as const)('%s', (_, tokenizer) => {
  test.each(Object.entries(ODD))('%s: passages that fit, and nothing is lost', async (_name, text) => {
    const spans = await cut(text, 64, 0, tokenizer)
    const passages = slices(text, spans)
    const lengths = (await tokenizer.encode(passages)).map(({ length }) => length)
    // Merges across two sentences may add a token to what they have alone.
    expect(Math.max(...lengths)).toBeLessThanOrEqual(tokenizer === wordPiece ? 64 : 66)
    expect(passages.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
    for (const [i, { start, end }] of spans.entries()) {
      expect(start).toBeGreaterThanOrEqual(spans[i - 1]?.end ?? 0)
      expect(passages[i]).toBe(passages[i]!.trim())
      expect(end).toBeGreaterThan(start)
    }
    expect(passages.every((passage) => passage.isWellFormed())).toBe(true)
  })
})

test('cuts between sentences, into passages of about the same size', async () => {
  const passages = slices(ENGLISH, await cut(ENGLISH))
  expect(passages.flatMap((passage) => passage.split(/(?<=\.) /))).toEqual(SENTENCES)
  const lengths = (await wordPiece.encode(passages)).map(({ length }) => length)
  expect(Math.min(...lengths)).toBeGreaterThan(40)
})

test('cuts a long sentence between words, and characters never', async () => {
  const words = slices(ODD['no sentence ends']!, await cut(ODD['no sentence ends']!))
  expect(words.join(' ')).toBe(ODD['no sentence ends']!.trim())
  const emoji = ODD['families of emoji']!
  const characters = new Set(['👩‍👩‍👧‍👦', '🏳️‍🌈', '🇩🇪', '🇫🇷'])
  for (const passage of slices(emoji, await cut(emoji, 64, 0, byteFallback))) {
    const seen = Array.from(new Intl.Segmenter().segment(passage), ({ segment }) => segment)
    expect(seen.filter((each) => !characters.has(each))).toEqual([])
  }
})

test('a passage repeats whole sentences of the one before', async () => {
  const passages = slices(ENGLISH, await cut(ENGLISH, 64, 20)).map((passage) => passage.split(/(?<=\.) /))
  expect(passages.length).toBeGreaterThan(5)
  for (const [i, passage] of passages.entries()) {
    if (i > 0) expect(passages[i - 1]!.at(-1)).toBe(passage[0])
    expect(SENTENCES.slice(SENTENCES.indexOf(passage[0]!)).slice(0, passage.length)).toEqual(passage)
  }
  expect(new Set(passages.flat())).toEqual(new Set(SENTENCES))
})

test('refuses a text with too many passages, also before it has read all of it', async () => {
  let counted = 0
  const count = async (texts: readonly string[]) => {
    for (const text of texts) counted += text.length
    return counter(wordPiece)(texts)
  }
  const options = { tokens: 64, overlap: 0, passagesMax: 3, field: 'documents[0].text' }
  await expect(cutText(ENGLISH, count, options)).rejects.toMatchObject({
    code: 'TOO_LARGE',
    details: { field: 'documents[0].text', limit: 3 },
  })
  counted = 0
  const long = ENGLISH.repeat(400)
  await expect(cutText(long, count, options)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  expect(counted).toBeLessThan(long.length / 2)
})

test('others have their turn while a long text is cut', async () => {
  let turns = 0
  const tick = () => {
    turns++
    timer = setImmediate(tick)
  }
  let timer = setImmediate(tick)
  // Counting that takes no time: what is left is the cutting.
  const count = async (texts: readonly string[]) => Uint32Array.from(texts, ({ length }) => length / 4)
  await cutText('A short line.\n'.repeat(30_000), count, {
    tokens: 512,
    overlap: 0,
    passagesMax: 10_000,
    field: 'text',
  })
  clearImmediate(timer)
  expect(turns).toBeGreaterThan(5)
})
