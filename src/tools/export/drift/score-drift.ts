export interface ScoreDrift {
  against: 'fp32'
  scores: number
  /** Absolute differences. */
  meanDifference: number
  worstDifference: number
  /** Standard deviation of the scores in fp32: what the differences are to be compared with. */
  deviation: number
}

/** Scores of the same rows. */
export function scoreDrift(scores: readonly number[], reference: readonly number[]): ScoreDrift {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const differences = reference.map((score, row) => Math.abs(score - scores[row]!))
  const middle = mean(reference)
  const rounded = (value: number) => Number(value.toFixed(6))
  return {
    against: 'fp32',
    scores: reference.length,
    meanDifference: rounded(mean(differences)),
    worstDifference: rounded(Math.max(...differences)),
    deviation: rounded(Math.sqrt(mean(reference.map((score) => (score - middle) ** 2)))),
  }
}
