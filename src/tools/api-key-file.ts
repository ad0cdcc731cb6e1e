import { readFileSync } from 'node:fs'
import { ToolError } from '../cli/tool-error.ts'

/** The one key of a file given as --api-key-file. @throws ToolError INPUT_UNUSABLE */
export function readApiKeyFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new ToolError('INPUT_UNUSABLE', `--api-key-file: ${(error as Error).message}`)
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ToolError('INPUT_UNUSABLE', `--api-key-file: ${file} must hold one key, on one line.`)
  }
  return key
}
