import { ToolError } from '../../../cli/tool-error.ts'
import { isHeadTensor } from './heads.ts'

/** `LlamaForCausalLM` prefixes its tensors, a bare `LlamaModel` does not. */
const PREFIX = 'model.'
/** Stored by some checkpoints and seldom needed: the LM head, and frequencies that follow from the config. */
const UNUSED = /^(lm_head\.weight|.*rotary_emb\.inv_freq)$/
/** What wrappers put into the names, and how to save without them. */
const WRAPPERS: [segment: string, advice: string][] = [
  ['_orig_mod.', 'torch.compile leaves it: save the model that was compiled (model._orig_mod)'],
  ['_fsdp_wrapped_module.', 'FSDP leaves it: save a full state dict'],
  ['_checkpoint_wrapped_module.', 'activation checkpointing leaves it: save the model inside'],
  [
    'base_model.model.',
    'peft leaves it: save the merged model (merge_and_unload), or export base and adapter (--adapter)',
  ],
  ['module.', 'DataParallel, DeepSpeed and others leave it: save the model inside (model.module)'],
]
const LORA = /\.(lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector|base_layer|modules_to_save)\./

/**
 * Under which name each tensor is stored.
 * @param stored every name in the files
 * @param expected the names that are exported
 * @throws ToolError CHECKPOINT_UNUSABLE naming a tensor that is missing, wrapped, or no part of a plain LLaMA
 */
export function storedNames(stored: readonly string[], expected: readonly string[]): Map<string, string> {
  const there = new Set(stored)
  const prefix = stored.some((name) => name.startsWith(PREFIX)) ? PREFIX : ''
  const names = new Map(expected.map((name) => [name, isHeadTensor(name) ? name : prefix + name]))
  const missing = expected.find((name) => !there.has(names.get(name)!))
  if (missing !== undefined) {
    throw wrapped(stored, missing) ?? fault(`The checkpoint lacks tensor ${names.get(missing)}.`, missing)
  }
  const known = new Set(names.values())
  const foreign = stored.find((name) => !known.has(name) && !isUnused(name))
  if (foreign === undefined) return names
  throw fault(
    `Tensor ${foreign} is not part of a plain LLaMA. Merge adapters and remove heads before exporting.`,
    foreign,
  )
}

/** Whether a tensor may be left out of a checkpoint, or be there in any shape and format. */
export function isUnused(name: string): boolean {
  return UNUSED.test(name)
}

/** Says why a tensor is not found, where another name ends as its own does. */
function wrapped(stored: readonly string[], missing: string): ToolError | undefined {
  const adapted = stored.find((name) => LORA.test(name))
  if (adapted !== undefined) {
    const advice = 'Save the merged model (merge_and_unload), or export base and adapter (--adapter)'
    return fault(`Tensor ${adapted} belongs to an adapter that is not merged. ${advice}.`, adapted)
  }
  for (const name of stored) {
    const bare = WRAPPERS.reduce((rest, [segment]) => rest.replaceAll(segment, ''), name)
    if (bare !== missing && bare !== PREFIX + missing) continue
    const [segment, advice] = WRAPPERS.find(([part]) => name.includes(part)) ?? []
    if (segment) return fault(`Tensor names such as ${name} hold "${segment}". ${advice}.`, name)
  }
  const longer = stored.find((name) => name.endsWith(`.${missing}`))
  if (longer === undefined) return undefined
  const prefix = longer.slice(0, -missing.length)
  return fault(
    `Tensor names begin with "${prefix}" (${longer}); "${PREFIX}" or nothing is expected. Save the LLaMA inside.`,
    longer,
  )
}

function fault(message: string, tensor: string): ToolError {
  return new ToolError('CHECKPOINT_UNUSABLE', message, { tensor })
}
