/** Names jobs by the time of their creation, never the same twice, so that ids sort by it. */
export class JobClock {
  #last = 0

  next(): { id: string; createdAt: string } {
    this.#last = Math.max(Date.now(), this.#last + 1)
    const createdAt = new Date(this.#last).toISOString()
    return { id: idAt(createdAt), createdAt }
  }
}

/** `20260131t123005123z-5f0c9a` */
function idAt(time: string): string {
  const random = Math.floor(Math.random() * 0x100_0000)
  return `${time.toLowerCase().replace(/[-:.]/g, '')}-${random.toString(16).padStart(6, '0')}`
}
