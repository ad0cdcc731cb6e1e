import type { Body, BodyTokenizer } from '../model/tokenizer/body-tokenizer.ts'

/** A text waiting to be tokenised. */
export interface TextJob {
  readonly text: string
  /** False once its call has ended: it is skipped. */
  wanted(): boolean
  /** @param ms wall-clock milliseconds of the tokenisation it was part of */
  done(body: Body, ms: number): void
  failed(error: unknown): void
}

/** UTF-16 units and texts of one trip to the thread pool: some tens of milliseconds at most. */
const CHUNK_CHARS = 65_536
const CHUNK_TEXTS = 1_024

/**
 * Tokenises one lane's texts in order of arrival, many calls' texts in one trip to the thread pool, one trip at a
 * time. The pool works while a batch holds the worker's thread, so the next batch's rows are ready when it ends.
 */
export class TokenizeStage {
  readonly #tokenizer: Pick<BodyTokenizer, 'encodeStart'>
  readonly #tokensMax: number
  readonly #afterChunk: () => void
  #jobs: TextJob[] = []
  #running = false

  /**
   * @param tokensMax most tokens any text needs; the job's owner cuts further where it allows less
   * @param afterChunk called after each trip, and when there is nothing left to do
   */
  constructor(tokenizer: Pick<BodyTokenizer, 'encodeStart'>, tokensMax: number, afterChunk: () => void) {
    this.#tokenizer = tokenizer
    this.#tokensMax = tokensMax
    this.#afterChunk = afterChunk
  }

  /** Whether texts are waiting here or under way. */
  get busy(): boolean {
    return this.#running
  }

  /** Queues jobs; each is answered by its `done` or `failed`, unless it is no longer wanted. */
  add(jobs: readonly TextJob[]): void {
    for (const job of jobs) this.#jobs.push(job)
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let chunk = this.#nextChunk(); chunk.length > 0; chunk = this.#nextChunk()) {
      const start = performance.now()
      try {
        const bodies = await this.#tokenizer.encodeStart(
          chunk.map((job) => job.text),
          this.#tokensMax,
        )
        const ms = performance.now() - start
        chunk.forEach((job, i) => {
          if (job.wanted()) job.done(bodies[i]!, ms)
        })
      } catch (error) {
        for (const job of chunk) if (job.wanted()) job.failed(error)
      }
      this.#afterChunk()
    }
    this.#running = false
    this.#afterChunk()
  }

  #nextChunk(): TextJob[] {
    const chunk: TextJob[] = []
    let chars = 0
    let taken = 0
    for (const job of this.#jobs) {
      if (chunk.length >= CHUNK_TEXTS || (chunk.length > 0 && chars + job.text.length > CHUNK_CHARS)) break
      taken++
      if (!job.wanted()) continue
      chunk.push(job)
      chars += job.text.length
    }
    this.#jobs = this.#jobs.slice(taken)
    return chunk
  }
}
