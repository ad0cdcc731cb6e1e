import { ServiceError } from '../errors.ts'

/** What a name of a collection or an alias is made of; an engine keeps a folder of this name. */
export const NAME_PATTERN = '^[a-z0-9][a-z0-9_-]{0,63}$'
const NAME = new RegExp(NAME_PATTERN)
/** Names that Windows keeps for devices. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/

/** @throws ServiceError INVALID_INPUT */
export function checkName(name: string, field: 'collection' | 'alias' | 'to'): void {
  if (NAME.test(name) && !DEVICE.test(name)) return
  const fault = NAME.test(name)
    ? 'is kept for devices by some systems; take another one'
    : 'must be 1 to 64 of a-z, 0-9, _ and -, not _ or - first'
  throw new ServiceError('INVALID_INPUT', `${field} ${fault}.`, { field })
}
