/** Waits for `work`; past the deadline calls `late` once, then waits on unless `late` throws. */
export async function withDeadline<T>(work: Promise<T>, msMax: number, late: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      try {
        late()
      } catch (error) {
        reject(error)
      }
    }, msMax)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}
