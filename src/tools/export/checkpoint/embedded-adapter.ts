import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'

/**
 * transformers merges an adapter that lies in a model's folder without being asked.
 * @param adapter the one to be merged, if any
 * @throws ToolError CHECKPOINT_UNUSABLE where another lies in the checkpoint's folder
 */
export function checkEmbeddedAdapter(checkpoint: string, adapter?: string): void {
  if (!existsSync(join(checkpoint, 'adapter_config.json'))) return
  if (adapter !== undefined && resolve(adapter) === resolve(checkpoint)) return
  const message =
    `${checkpoint} holds an adapter (adapter_config.json) beside whole weights, and transformers would merge it. ` +
    `Merge it as well (export with --adapter ${checkpoint}), or take adapter_config.json away where the weights have it already.`
  throw new ToolError('CHECKPOINT_UNUSABLE', message, { file: 'adapter_config.json' })
}
