/**
 * Compares the ids that the exporter's tokenizer gives with those of SentencePiece itself, for any tokenizer.model:
 *
 *   (cd scripts/train && python -m recipes.golden.sentencepiece_ids tokenizer.model ids.json 1000)
 *   npx tsx scripts/tokenizer/check.ts tokenizer.model scripts/train/ids.json
 */
import { readFileSync } from 'node:fs'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { readAddedTokens } from '../../src/tools/export/tokenizer/added-tokens.ts'
import { convertSentencePiece } from '../../src/tools/export/tokenizer/convert-sentencepiece.ts'
import { parseSentencePiece } from '../../src/tools/export/tokenizer/sentencepiece-model.ts'

const [modelFile, idsFile] = process.argv.slice(2)
if (modelFile === undefined || idsFile === undefined) throw new Error('Usage: check.ts MODEL IDS')
const model = parseSentencePiece(readFileSync(modelFile))
if (!model) throw new Error(`${modelFile} is not a SentencePiece model`)
const added = readAddedTokens(model.pieces, { tokenizerConfig: {}, specialTokensMap: {}, addedTokens: {} })
const tokenizer = BodyTokenizer.load(convertSentencePiece(model, added))
const rows = JSON.parse(readFileSync(idsFile, 'utf8')) as { text: string; ids: number[] }[]
const found = await tokenizer.encode(rows.map(({ text }) => text))
const wrong = rows.filter(({ ids }, i) => `${ids}` !== `${found[i]}`)
for (const { text } of wrong.slice(0, 5)) console.log(`  differs: ${JSON.stringify(text).slice(0, 200)}`)
console.log(`${wrong.length} of ${rows.length} texts differ`)
process.exitCode = wrong.length === 0 ? 0 : 1
