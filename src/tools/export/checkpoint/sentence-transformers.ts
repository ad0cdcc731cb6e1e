import { ToolError } from '../../../cli/tool-error.ts'
import type { Prompt } from '../../../encoder/encoder.ts'
import type { Template } from '../prompts/templates.ts'
import type { RawConfig } from './config-values.ts'
import { optionalJson, optionalText } from './json-files.ts'

const MODULES = 'modules.json'
const SETTINGS = 'config_sentence_transformers.json'
/** What newer releases call `pooling_mode`, and the flags of earlier ones. */
const POOLING_FLAGS: Record<string, string> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
}
/** Names that sentence-transformers gives the prompts of the two sides. */
const SIDES: Record<string, Prompt> = { query: 'ebar', document: 'ebae', passage: 'ebae', corpus: 'ebae' }

/**
 * A sentence-transformers folder says how its vectors are made. One that does it otherwise than the template is refused.
 * @throws ToolError CHECKPOINT_UNUSABLE naming the file and the setting
 */
export async function checkSentenceTransformers(folder: string, template: Template): Promise<void> {
  const modules = await readModules(folder)
  if (!modules) return
  const settings = (await optionalJson(folder, SETTINGS)) ?? {}
  for (const { type, path } of modules) {
    const name = type.split('.').at(-1)!
    if (name === 'Transformer' && path === '') continue
    if (name === 'Normalize') continue
    if (name !== 'Pooling')
      throw other(MODULES, `${name} (${JSON.stringify(path)})`, 'this module is not exported')
    await checkPooling(folder, path, template)
  }
  const normalised = modules.some(({ type }) => type.endsWith('.Normalize'))
  const similarity = settings['similarity_fn_name'] ?? 'cosine'
  if (!normalised && similarity !== 'cosine') {
    throw other(
      SETTINGS,
      `similarity_fn_name ${JSON.stringify(similarity)}`,
      'exported vectors have unit length',
    )
  }
  checkPrompts(settings, template)
  const { do_lower_case: lower } = (await optionalJson(folder, 'sentence_bert_config.json')) ?? {}
  if (lower) throw other('sentence_bert_config.json', 'do_lower_case', 'texts are taken as they are written')
}

async function readModules(folder: string): Promise<{ type: string; path: string }[] | undefined> {
  const text = await optionalText(folder, MODULES)
  if (text === undefined) return undefined
  try {
    const modules = JSON.parse(text) as { type: unknown; path: unknown }[]
    return modules.map(({ type, path }) => ({ type: String(type), path: String(path ?? '') }))
  } catch (cause) {
    throw new ToolError('CHECKPOINT_UNUSABLE', `${MODULES} is not a list of modules.`, {}, cause)
  }
}

async function checkPooling(folder: string, path: string, template: Template): Promise<void> {
  const file = `${path}/config.json`
  const config = await optionalJson(folder, file)
  if (!config) throw new ToolError('CHECKPOINT_UNUSABLE', `${MODULES} names ${file}, which is not there.`)
  const modes = poolingModes(config)
  const pooled = template.prompts.ebae.specials.length
  if (modes.join() === 'lasttoken' && pooled === 1) return
  const why = `the template pools the last ${pooled === 1 ? 'token' : `${pooled} tokens`}. Export it with the template it was trained with`
  throw other(file, `pooling ${modes.join(', ') || 'mean'}`, why)
}

function poolingModes(config: RawConfig): string[] {
  const mode = config['pooling_mode']
  if (mode !== undefined) return [mode].flat().map(String)
  return Object.entries(POOLING_FLAGS).flatMap(([flag, name]) => (config[flag] ? [name] : []))
}

function checkPrompts(settings: RawConfig, template: Template): void {
  for (const [name, prompt] of Object.entries((settings['prompts'] ?? {}) as RawConfig)) {
    const side = Object.hasOwn(SIDES, name) ? SIDES[name] : undefined
    if (side === undefined || typeof prompt !== 'string' || prompt === '') continue
    const { prefix } = template.prompts[side]
    if (prompt.trim() === prefix.trim()) continue
    const why = `the template puts ${JSON.stringify(prefix)} before a text. Export it with the template it was trained with`
    throw other(SETTINGS, `the prompt ${name} ${JSON.stringify(prompt)}`, why)
  }
}

function other(file: string, what: string, why: string): ToolError {
  return new ToolError('CHECKPOINT_UNUSABLE', `${file} has ${what}; ${why}.`, { file })
}
