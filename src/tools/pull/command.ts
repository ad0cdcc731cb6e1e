import { defineCommand } from '../../cli/command.ts'
import { pullModel } from './pull-model.ts'
import { PULL_OPTIONS } from './pull-options.ts'

/** Downloads a checkpoint from a model hub and makes a model folder of it. */
export const pullCommand = defineCommand({
  name: 'pull',
  npm: 'npm run model:pull --',
  about:
    'Downloads a checkpoint or LoRA adapter and makes a model folder of it. REPOSITORY is one of the model hub,\n' +
    'such as BAAI/LLARA-passage; FOLDER is a checkpoint that is here already. A pull that broke off continues\n' +
    'with the same command.',
  operands: { name: 'REPOSITORY|FOLDER', noun: 'repository or folder' },
  options: PULL_OPTIONS,
  failure: 'Not pulled.',
  run: ({ given, operands: [model] }, terminal) => pullModel({ ...given, model: model! }, terminal),
})
