import { defineCommand } from '../../cli/command.ts'
import { flag, text } from '../../cli/option.ts'
import { readConfig } from '../../config/read.ts'
import { verifyData } from './verify-data.ts'
import { verifyModelFolder } from './verify-model-folder.ts'

/** Checks all that is stored in a data folder, and repairs what can be repaired. */
export const verifyCommand = defineCommand({
  name: 'verify',
  npm: 'npm run verify --',
  about:
    'Reads everything in the data folder of a service that is stopped: every document, passage and vector against its\n' +
    'checksum, the indexes against the documents, the saved HNSW graph against its checksum. Says what is damaged, by\n' +
    'the ids of the documents; exit code 1 where anything is.',
  options: {
    dataDir: text('FOLDER', 'the data folder; default DATA_DIR, or ./data'),
    model: {
      ...text('NAME|PATH', 'a model instead: every file of its folder against the checksums of its card'),
      excludes: ['dataDir', 'repair'],
    },
    repair: flag(
      'make a new database of all documents that are whole; the damaged one is kept beside it under another name',
    ),
  },
  run: ({ given: { dataDir = readConfig().dataDir, repair, model } }, terminal) =>
    model === undefined ? verifyData({ dataDir, repair }, terminal) : verifyModelFolder(model, terminal),
})
