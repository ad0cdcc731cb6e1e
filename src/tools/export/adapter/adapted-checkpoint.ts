import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { openAdapter } from './lora-adapter.ts'

/**
 * The checkpoint with a LoRA adapter (peft layout) merged into its tensors as they are read. Tokenizer and everything
 * else stay the base's. Closing it closes both.
 * @throws ToolError CHECKPOINT_UNUSABLE; the base is then closed
 */
export async function adaptedCheckpoint(base: Checkpoint, adapterFolder: string): Promise<Checkpoint> {
  try {
    const adapter = await openAdapter(adapterFolder, base)
    return {
      ...base,
      ...adapter.merged(base),
      hasHead: true,
      close: async () => {
        await Promise.all([adapter.close(), base.close()])
      },
    }
  } catch (error) {
    await base.close()
    throw error
  }
}
