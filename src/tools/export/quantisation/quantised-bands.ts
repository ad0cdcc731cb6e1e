export interface Quantised<Values> {
  values: Values
  /** Real value of one step. */
  scales: Float32Array
}

/**
 * Quantises a tensor's bands as they come.
 * @param scales filled on the way, complete when the last band was taken
 */
export async function* quantisedBands<Values>(
  bands: AsyncIterable<Float32Array>,
  quantise: (band: Float32Array) => Quantised<Values>,
  scales: Float32Array,
): AsyncIterable<Values> {
  let done = 0
  for await (const band of bands) {
    const quantised = quantise(band)
    scales.set(quantised.scales, done)
    done += quantised.scales.length
    yield quantised.values
  }
}
