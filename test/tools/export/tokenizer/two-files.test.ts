import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ExpectedIds } from '../../../../src/tools/export/prompts/expected-prompts.ts'
import { ModelOnlyCheckpoint } from './model-only.ts'

const BODY = 'if  a:\n    return "東京"'

interface Json {
  model: object
}

const REPLACE = { type: 'Replace', pattern: { String: ' ' }, content: '▁' }

/** What the tokenizer of a checkpoint gives: its tokenizer.json, its ids of prompts and of a text. */
async function given(
  checkpoint = new ModelOnlyCheckpoint(),
): Promise<{ json: string; expectedIds: ExpectedIds }> {
  const { ebae, ebar } = (await checkpoint.export()).prompts
  const expected = ({ prefixIds, suffixIds }: typeof ebae) => ({ prefixIds, wordIds: suffixIds.slice(0, -1) })
  const [ids] = await checkpoint.encode([BODY])
  const prompts = { ebae: expected(ebae), ebar: expected(ebar) }
  return { json: checkpoint.tokenizerJson, expectedIds: { prompts, bodies: [{ text: BODY, ids: ids! }] } }
}

/** A checkpoint with tokenizer.json alone. */
function jsonOnly(json: string): ModelOnlyCheckpoint {
  const config = { tokenizer_class: 'LlamaTokenizer' }
  const checkpoint = new ModelOnlyCheckpoint('llama', config).write('tokenizer.json', json)
  rmSync(join(checkpoint.folder, 'tokenizer.model'))
  return checkpoint
}

/** As current libraries convert it: cut at every space, so that double spaces and indents come out otherwise. */
function converted(json: string): string {
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true }
  return JSON.stringify({ ...JSON.parse(json), normalizer: null, pre_tokenizer: metaspace })
}

describe('tokenizer.json beside tokenizer.model', () => {
  it('is taken as it is where both give the same ids', async () => {
    const json = JSON.stringify(JSON.parse((await given()).json), null, 1)
    const checkpoint = new ModelOnlyCheckpoint().write('tokenizer.json', json)
    await checkpoint.export()
    expect(checkpoint.tokenizerJson).toBe(json)
    expect(checkpoint.notes.filter((note) => note.includes('tokenizer'))).toEqual([])
  })

  it('is refused where it gives others, with the text and what to do', async () => {
    const checkpoint = new ModelOnlyCheckpoint().write('tokenizer.json', converted((await given()).json))
    await expect(checkpoint.export()).rejects.toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
      message: expect.stringMatching(
        /tokenizer\.model and tokenizer\.json give different ids: ".*" is \[.*\] and \[.*\]\. Move away the file/,
      ),
    })
    expect(checkpoint.written).toBe(false)
  })

  it('is refused where an added token has another id', async () => {
    const { json } = await given()
    const file = JSON.parse(json)
    file.added_tokens.push({ ...file.added_tokens[0], id: 421, content: '<pad>' })
    const checkpoint = new ModelOnlyCheckpoint()
      .write('tokenizer.json', file)
      .write('added_tokens.json', { '<pad>': 420 })
    await expect(checkpoint.export()).rejects.toThrow('<pad> is 420 and 421')
  })

  it('gives way to tokenizer.model where that gives the known ids, with a notice', async () => {
    const { json, expectedIds } = await given()
    const checkpoint = new ModelOnlyCheckpoint('llama', {
      tokenizer_class: 'TokenizersBackend',
      bos_token: '<s>',
    })
    checkpoint.write('tokenizer.json', converted(json))
    await checkpoint.export({ expectedIds })
    expect((await checkpoint.encode([BODY]))[0]).toEqual(expectedIds.bodies[0]!.ids)
    expect(checkpoint.notes).toContainEqual(expect.stringMatching(/^tokenizer\.model is used: /))
  })

  it('is taken where it alone gives the known ids, with a notice', async () => {
    const { json, expectedIds } = await given(jsonOnly(converted((await given()).json)))
    const checkpoint = new ModelOnlyCheckpoint('llama', { tokenizer_class: 'LlamaTokenizer' })
    checkpoint.write('tokenizer.json', json)
    await checkpoint.export({ expectedIds })
    expect((await checkpoint.encode([BODY]))[0]).toEqual(expectedIds.bodies[0]!.ids)
    expect(checkpoint.notes).toContainEqual(expect.stringMatching(/^tokenizer\.json is used: /))
  })

  it('is taken, with a notice, where tokenizer.model cannot be compared', async () => {
    const { json } = await given()
    for (const [content, why] of [
      ['IQ== 0\n', 'Tiktoken'],
      ['', 'not a SentencePiece model'],
    ]) {
      const checkpoint = new ModelOnlyCheckpoint()
        .write('tokenizer.json', json)
        .write('tokenizer.model', content!)
      await checkpoint.export()
      expect(checkpoint.notes).toContainEqual(
        expect.stringMatching(`was not compared with tokenizer.model: .*${why}`),
      )
    }
  })

  it('alone is refused where known ids say it is not what the model was trained with', async () => {
    const { json, expectedIds } = await given()
    const checkpoint = jsonOnly(converted(json))
    await expect(checkpoint.export({ expectedIds })).rejects.toThrow(
      /encodes .* but the model was trained with/,
    )
  })
})

describe('tokenizer.json alone', () => {
  it('is taken without a word where every kind of piece comes out', async () => {
    const checkpoint = jsonOnly((await given()).json)
    await checkpoint.export()
    expect(checkpoint.notes.filter((note) => note.includes('tokenizer'))).toEqual([])
  })

  const LOST: [what: string, change: (json: Json) => Json, note: RegExp][] = [
    ['runs of spaces', (json) => JSON.parse(converted(JSON.stringify(json))), /no piece for several spaces,/],
    [
      'the space before a text',
      (json) => ({ ...json, normalizer: REPLACE }),
      /json puts no space before a text,/,
    ],
    ['bytes', (json) => ({ ...json, model: { ...json.model, byte_fallback: false } }), /gives no bytes for/],
  ]
  it.each(LOST)('is taken with a notice where it lost %s', async (_, change, note) => {
    const checkpoint = jsonOnly(JSON.stringify(change(JSON.parse((await given()).json))))
    await checkpoint.export()
    expect(checkpoint.notes).toContainEqual(expect.stringMatching(note))
  })
})

it('a checkpoint without either is refused', async () => {
  const checkpoint = new ModelOnlyCheckpoint()
  rmSync(join(checkpoint.folder, 'tokenizer.model'))
  await expect(checkpoint.export()).rejects.toThrow(/neither tokenizer\.json nor tokenizer\.model/)
})
