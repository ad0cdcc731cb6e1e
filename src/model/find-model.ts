import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ServiceError } from '../errors.ts'
import { MODEL_FILES } from './card.ts'

/** models/ beside src/ and dist/. */
const MODELS = fileURLToPath(new URL('../../models/', import.meta.url))

/**
 * The folder of the model that a setting names: a name is a folder under models/, anything with a separator is a path.
 *
 * @param setting for the message
 * @throws ServiceError MODEL_UNUSABLE when there is none; the message lists the models there are
 */
export function modelFolder(model: string, setting: 'MODEL' | 'RERANKER' = 'MODEL'): string {
  const folder = /[\\/]/.test(model) || model === '.' || model === '..' ? resolve(model) : join(MODELS, model)
  if (existsSync(join(folder, MODEL_FILES.card))) return folder
  const names = existsSync(MODELS)
    ? readdirSync(MODELS).filter((name) => existsSync(join(MODELS, name, MODEL_FILES.card)))
    : []
  const known = names.length > 0 ? `models/ has: ${names.join(', ')}` : 'models/ is empty'
  throw new ServiceError(
    'MODEL_UNUSABLE',
    `${setting} ${model}: ${folder} holds no model (no ${MODEL_FILES.card}); ${known}. Name another, or make one with npm run model:export.`,
  )
}
