import { ToolError } from '../../../cli/tool-error.ts'

export type RawConfig = Record<string, unknown>

/** A whole number of at least 1. */
export function count(raw: RawConfig, key: string, fallback?: number): number {
  const value = raw[key] ?? fallback
  if (!Number.isSafeInteger(value) || (value as number) < 1) {
    throw unsupported(key, value, 'a whole number of at least 1 is needed')
  }
  return value as number
}

/** A finite number above 0. */
export function positive(raw: RawConfig, key: string, fallback?: number): number {
  const value = raw[key] ?? fallback
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw unsupported(key, value, 'a number above 0 is needed')
  }
  return value
}

/** True or false; absent is false. */
export function flag(raw: RawConfig, key: string): boolean {
  const value = raw[key] ?? false
  if (typeof value !== 'boolean') throw unsupported(key, value, 'true or false is needed')
  return value
}

/** MODEL_UNUSABLE naming the key and its value. */
export function unsupported(key: string, value: unknown, why: string): ToolError {
  const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`
  return new ToolError('CHECKPOINT_UNUSABLE', `config.json: ${key} ${found}; ${why}.`, { key })
}
