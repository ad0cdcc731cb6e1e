import type { Checkpoint } from '../checkpoint/checkpoint.ts'

/** One row of a checkpoint's head, [hidden]: what a state is multiplied by for its score. */
export async function headRow(
  { head, config, ...checkpoint }: Checkpoint,
  row: number,
): Promise<Float32Array> {
  const width = config.hiddenSize
  let from = 0
  for await (const band of checkpoint.bands(head.tensor!)) {
    const at = row * width - from
    if (at < band.length) return band.slice(at, at + width)
    from += band.length
  }
  throw new RangeError(`${head.tensor} has no row ${row}`)
}
