import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ServiceError } from '../errors.ts'

/** models/ beside src/ and dist/. */
const MODELS = fileURLToPath(new URL('../../models/', import.meta.url))

/**
 * The folder MODEL means: a name is a folder under models/, anything with a separator is a path.
 * @throws ServiceError MODEL_UNUSABLE when there is none, naming those there are
 */
export function modelFolder(model: string): string {
  const folder = /[\\/]/.test(model) || model === '.' || model === '..' ? resolve(model) : join(MODELS, model)
  if (existsSync(join(folder, 'model.json'))) return folder
  const names = existsSync(MODELS)
    ? readdirSync(MODELS).filter((name) => existsSync(join(MODELS, name, 'model.json')))
    : []
  const known = names.length > 0 ? `models/ has: ${names.join(', ')}` : 'models/ is empty'
  throw new ServiceError(
    'MODEL_UNUSABLE',
    `MODEL ${model}: there is no model in ${folder} (no model.json); ${known}. Make one with npm run model:export.`,
  )
}
