import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import type { RawConfig } from './config-values.ts'

export async function requiredJson(folder: string, name: string): Promise<RawConfig> {
  const value = await optionalJson(folder, name)
  if (value === undefined)
    throw new ToolError('CHECKPOINT_UNUSABLE', `${folder} has no ${name}: not a checkpoint folder.`)
  return value
}

/** A file's JSON object, or undefined where there is none. */
export async function optionalJson(folder: string, name: string): Promise<RawConfig | undefined> {
  const text = await optionalText(folder, name)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as RawConfig
  } catch (error) {
    throw new ToolError('CHECKPOINT_UNUSABLE', `${name} is not valid JSON.`, {}, error)
  }
  throw new ToolError('CHECKPOINT_UNUSABLE', `${name} must hold a JSON object.`)
}

/** A file's text, or undefined where there is none. */
export async function optionalText(folder: string, name: string): Promise<string | undefined> {
  return (await optionalBytes(folder, name))?.toString('utf8')
}

/** A file's bytes, or undefined where there is none. */
export async function optionalBytes(folder: string, name: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(folder, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ToolError('CHECKPOINT_UNUSABLE', `${name} cannot be read.`, {}, error)
  }
}
