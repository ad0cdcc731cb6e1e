import { flag, type Given, text, withDefault } from '../../cli/option.ts'
import { MODEL_OPTIONS } from '../export/model-options.ts'

const { precision, quantisation, profile, template, licence, id, source, maxBodyTokens, calibration } =
  MODEL_OPTIONS

export const PULL_OPTIONS = {
  precision: withDefault(precision, 'int8'),
  quantisation,
  out: text('FOLDER', 'the model folder to write; default models/<name>'),
  overwrite: flag('replace it if it exists'),
  downloadOnly: flag('stop when the checkpoint is here'),
  keepCheckpoint: flag('do not delete the checkpoint when the model is written'),
  checkpoint: text(
    'FOLDER',
    'where the checkpoint goes; default checkpoints/<owner>--<name>, which is deleted when the model is written; ' +
      'a folder that you name is kept',
  ),
  revision: text('R', 'branch, tag or commit; default main'),
  base: text(
    'REPO|FOLDER',
    'base model of an adapter; default what its profile or its adapter_config.json says',
  ),
  baseRevision: text('R', 'its revision; default main'),
  mirror: text('URL', 'a compatible mirror of the hub; default HF_ENDPOINT, or https://huggingface.co'),
  tokenFile: text('FILE', 'a file with your token, for gated repositories; default HF_TOKEN'),
  profile: {
    ...profile,
    doc: `${profile.doc}; default the repository's own, if it is known`,
    group: 'Known repositories bring prompts, limits and licence. For others, or to override',
  },
  template,
  licence: { ...licence, doc: `${licence.doc}; default what the hub says` },
  id,
  source: { ...source, doc: `${source.doc}; default the repository and its commit` },
  maxBodyTokens,
  calibration,
} as const

/** What was asked for, and of which repository or folder. */
export type PullRequest = Given<typeof PULL_OPTIONS> & { model: string }
