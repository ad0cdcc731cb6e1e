import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CheckpointName, tinyModel } from '../../fixtures/tiny-model.ts'
import { cosine, type Golden, largestDifference, readGolden, TinyOnnx } from './tiny-onnx.ts'

const NAMES: CheckpointName[] = [
  'mha-paper',
  'mha-released',
  'gqa-paper',
  'gqa-released',
  'blocks-released',
  'bias-paper',
]
const PROMPTS = ['ebae', 'ebar'] as const

/** Distance to what transformers computes, in float32. */
const TOLERANCE = 1e-4

describe.each(NAMES)('%s, exported in fp32', (name) => {
  let graph: TinyOnnx
  let golden: Golden
  beforeAll(async () => {
    golden = readGolden(name)
    graph = await TinyOnnx.open(await tinyModel(name))
  })
  afterAll(() => graph.close())

  it('has the prompt ids transformers was given', () => {
    for (const prompt of PROMPTS) {
      expect(graph.card.prompts[prompt].prefixIds).toEqual(golden.prefix_ids)
      expect(graph.card.prompts[prompt].suffixIds).toEqual(golden.prompts[prompt].suffix_ids)
    }
  })

  it.each(PROMPTS)('gives the vectors of transformers for %s, each text alone', async (prompt) => {
    for (const [i, body] of golden.body_ids.entries()) {
      const [vectors] = await graph.run([graph.row(prompt, body)])
      expect(largestDifference(vectors![0]!, golden.prompts[prompt].vectors[i]!)).toBeLessThan(TOLERANCE)
    }
  })

  it.each(PROMPTS)('gives them for %s in a ragged batch with junk in the padding', async (prompt) => {
    let next = 7
    const junk = () => (next = (next * 31 + 11) % graph.card.architecture.vocabularySize)
    const vectors = await graph.run(
      golden.body_ids.map((body) => graph.row(prompt, body)),
      junk,
    )
    for (const [i, expected] of golden.prompts[prompt].vectors.entries()) {
      expect(largestDifference(vectors[i]![0]!, expected)).toBeLessThan(TOLERANCE)
    }
  })

  it('gives one text the same vector alone and in a mixed batch', async () => {
    const bodies = [...golden.body_ids, golden.body_ids.flat().slice(0, 180)]
    for (const task of ['ebae', 'both'] as const) {
      const rows = bodies.map((body) => graph.row(task, body))
      const mixed = await graph.run(rows, () => 9)
      for (const [i, row] of rows.entries()) {
        const [alone] = await graph.run([row])
        for (const [group, vector] of alone!.entries()) {
          expect(cosine(vector, mixed[i]![group]!)).toBeGreaterThan(0.9999)
        }
      }
    }
  })

  it('gives both vectors in one joint pass, alone and batched', async () => {
    const rows = golden.body_ids.map((body) => graph.row('both', body))
    const batched = await graph.run(rows, () => 5)
    for (const [i, row] of rows.entries()) {
      const [alone] = await graph.run([row])
      for (const [group, prompt] of PROMPTS.entries()) {
        const expected = golden.prompts[prompt].vectors[i]!
        expect(largestDifference(alone![group]!, expected)).toBeLessThan(TOLERANCE)
        expect(largestDifference(batched[i]![group]!, expected)).toBeLessThan(TOLERANCE)
      }
    }
  })

  it('takes rows as long as its card allows, in both passes', async () => {
    const { maxBodyTokens } = graph.card.prompts.ebae
    const letters = golden.body_ids[3]!
    const body = Array.from({ length: maxBodyTokens }, (_, i) => letters[i % letters.length]!)
    const [joint] = await graph.run([graph.row('both', body)])
    for (const [group, prompt] of PROMPTS.entries()) {
      const [single] = await graph.run([graph.row(prompt, body)])
      expect(largestDifference(joint![group]!, single![0]!)).toBeLessThan(TOLERANCE)
    }
  })
})
