import { createRequire } from 'node:module'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { disableRuntimeTelemetry } from './no-telemetry.ts'

export type Provider = 'cpu' | 'cuda'

/** A dense tensor, row-major. float16 is carried as its bits. */
export type TensorData =
  | { type: 'int64'; dims: readonly number[]; data: BigInt64Array }
  | { type: 'float32'; dims: readonly number[]; data: Float32Array }
  | { type: 'float16'; dims: readonly number[]; data: Uint16Array }

export interface SessionOptions {
  provider: Provider
  /** Threads inside one operator; 0 leaves it to the runtime. CPU only. */
  intraOpThreads: number
  /** Whether those threads wait for their next piece of work by spinning, which is quicker and busies their cores. */
  spinning: boolean
  /** CUDA device number. */
  deviceId: number
}

/** Inputs or outputs of a model, by name. */
export type Tensors = Record<string, TensorData>

/** One loaded model. `run` holds the calling thread until it is done, so it belongs in a worker. */
export class ModelSession {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly #session: InferenceSession

  constructor(session: InferenceSession) {
    this.#session = session
    this.inputs = session.inputNames
    this.outputs = session.outputNames
  }

  /** Every output of the model, copied to the host. Rejects with whatever the runtime throws. */
  async run(feeds: Tensors): Promise<Tensors> {
    const tensors = Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]),
    )
    const results = await this.#session.run(tensors)
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        { type, dims, data } as TensorData,
      ]),
    )
  }

  /** Frees the model. The runtime does not give all of its memory back: keep one session for a process's life. */
  release(): Promise<void> {
    return this.#session.release()
  }
}

/**
 * Loads a model by path, so that external data is mapped and not copied.
 *
 * The runtime takes no second choice: when CUDA's libraries are missing, loading throws even with `cpu` listed
 * after it. Whoever wants to fall back decides so, and says so (device.ts).
 *
 * @throws Error whatever the runtime throws: no such file, not a model, no such provider
 */
export async function openSession(path: string, options: SessionOptions): Promise<ModelSession> {
  disableRuntimeTelemetry()
  const { provider, intraOpThreads, spinning, deviceId } = options
  const session = await InferenceSession.create(path, {
    executionProviders: [provider === 'cuda' ? { name: 'cuda', deviceId } : 'cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: spinning ? '1' : '0' } } },
  })
  return new ModelSession(session)
}

/** Where the runtime looks for its CUDA provider, which its package does not bring along. */
export function cudaProviderPath(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node')
  const folder = join(entry, '..', '..', 'bin', 'napi-v6', process.platform, process.arch)
  return join(folder, 'libonnxruntime_providers_cuda.so')
}
