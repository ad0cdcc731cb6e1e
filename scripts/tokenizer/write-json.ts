/**
 * Writes the tokenizer.json that a checkpoint folder with SentencePiece's tokenizer.model lacks, for training:
 *
 *   npx tsx scripts/tokenizer/write-json.ts FOLDER
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTokenizer } from '../../src/tools/export/tokenizer/read-tokenizer.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Usage: write-json.ts FOLDER')
const [json, config] = ['tokenizer.json', 'tokenizer_config.json'].map((name) => join(folder, name))
if (existsSync(json!)) throw new Error(`${json} exists already`)
const { tokenizerJson, tokenizerConfig } = await readTokenizer(folder)
writeFileSync(json!, tokenizerJson)
if (!existsSync(config!)) writeFileSync(config!, `${JSON.stringify(tokenizerConfig, null, 2)}\n`)
console.log(`wrote ${json}`)
