import { byteSize } from '../../cli/byte-size.ts'
import { progressLine } from '../../cli/progress-line.ts'
import { say, type Terminal } from '../../cli/terminal.ts'
import { ToolError } from '../../cli/tool-error.ts'
import { modelFolder } from '../../model/find-model.ts'
import { verifyModel } from '../../model/verify-model.ts'

const MEGABYTE = 1_000_000

/**
 * Reads every file of a model through and says what is not as its card says.
 *
 * @param model as in the setting MODEL
 * @throws ServiceError MODEL_UNUSABLE (no such model), ToolError DATA_DAMAGED
 */
export async function verifyModelFolder(model: string, terminal: Terminal): Promise<void> {
  const folder = modelFolder(model)
  const progress = progressLine(terminal.stderr)
  let read = 0
  const { id, files, bytes, faults } = await verifyModel(folder, {
    onBytes(more, total) {
      read += more
      progress('MB of the model', Math.floor(read / MEGABYTE), Math.ceil(total / MEGABYTE))
    },
  })
  if (faults.length === 0) {
    say(terminal.stdout, `${id}: ${files} files, ${byteSize(bytes)}, are as the card says.`)
    return
  }
  for (const fault of faults) say(terminal.stdout, `${id ?? model}: ${fault}.`)
  throw new ToolError('DATA_DAMAGED', 'The model is damaged. Copy or export the whole model again.')
}
