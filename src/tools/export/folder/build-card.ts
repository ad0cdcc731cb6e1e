import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Card, CardKind } from '../../../model/card.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import type { ExportOptions } from '../export-options.ts'
import type { Compiled, TemplateName } from '../prompts/compiled.ts'
import { padId } from '../prompts/special-tokens.ts'
import type { Scheme } from '../quantisation/scheme.ts'
import { parameterCount } from '../sizes.ts'
import { tokenIds } from '../tokenizer/token-ids.ts'
import { type FileIdentity, identify } from './write-folder.ts'

/** The card of a folder whose other files are written. */
export async function buildCard(
  folder: string,
  checkpoint: Checkpoint,
  compiled: Compiled,
  options: ExportOptions<TemplateName>,
  { scheme, quality }: { scheme: Scheme | undefined; quality: unknown },
): Promise<Card<CardKind>> {
  const { config, training } = checkpoint
  const files: Record<string, FileIdentity> = {}
  for (const name of (await readdir(folder)).sort()) files[name] = await identify(join(folder, name))
  const { precision } = options
  const stored = { precision, ...(scheme && { quantisation: scheme }) }
  const id = options.id ?? basename(resolve(options.out))
  const rest = {
    padId: padId(checkpoint, tokenIds(checkpoint.tokenizerJson), config.vocabularySize),
    files,
    architecture: {
      hiddenSize: config.hiddenSize,
      layers: config.layers,
      attentionHeads: config.attentionHeads,
      keyValueHeads: config.keyValueHeads,
      intermediateSize: config.intermediateSize,
      vocabularySize: config.vocabularySize,
      parameters: parameterCount(config),
    },
    licence: options.licence,
    source: options.source,
    ...(training !== undefined && { training }),
    ...(quality !== undefined && { quality }),
  }
  if (compiled.kind === 'reranker') {
    const identity = { template: compiled.template, head: compiled.head, ...stored }
    return {
      format: 2,
      kind: 'reranker',
      id,
      ...identity,
      fingerprint: fingerprint(files, identity),
      ...rest,
    }
  }
  const { prompts, pooledTokens: tokens } = compiled
  const identity = { prompts, pooling: { kind: 'mean-of-last' as const, tokens }, ...stored }
  return {
    format: 2,
    kind: 'encoder',
    id,
    dimensions: config.hiddenSize,
    ...identity,
    fingerprint: fingerprint(files, identity),
    ...rest,
  }
}

/** Whatever could move a vector or a score: the files (model.onnx, weights, tokenizer) and how texts are put to them. */
function fingerprint(files: Record<string, FileIdentity>, identity: unknown): string {
  const hashes = Object.entries(files).map(([name, { sha256 }]) => [name, sha256])
  return createHash('sha256')
    .update(JSON.stringify([hashes, identity]))
    .digest('hex')
}
