const RUNNING = 0
const LEAVING = 1

/**
 * Lets the process end between batches. When a process exits while a worker thread is inside the runtime's native
 * code, that code throws into a thread that is already gone, and the process aborts (SIGABRT, a core dump) instead
 * of ending with the code it was given. The worker marks its time in native code; the exit waits for its end.
 */
export class ExitGuard {
  /** Shared by the two threads. */
  readonly buffer: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(buffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#cells = new Int32Array(buffer)
  }

  /** In the worker: runs native work, or never settles once the process is about to end. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    Atomics.store(this.#cells, RUNNING, 1)
    try {
      if (Atomics.load(this.#cells, LEAVING)) return await new Promise<never>(() => this.#done())
      return await work()
    } finally {
      this.#done()
    }
  }

  /** In the exiting thread: no further work starts; waits up to `msMax` for what runs. */
  leave(msMax: number): void {
    Atomics.store(this.#cells, LEAVING, 1)
    Atomics.wait(this.#cells, RUNNING, 1, msMax)
  }

  #done(): void {
    Atomics.store(this.#cells, RUNNING, 0)
    Atomics.notify(this.#cells, RUNNING)
  }
}
