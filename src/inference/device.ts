import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { ServiceError } from '../errors.ts'
import type { Card } from '../model/card.ts'
import { cudaProviderPath, type ModelSession, openSession, type Provider } from './session.ts'

export type DeviceChoice = 'auto' | Provider

/** Where a model runs. */
export interface Device {
  provider: Provider
  /** Why this provider runs, in a phrase for the operator. */
  reason: string
}

export interface DeviceOptions {
  device: DeviceChoice
  /** CUDA device number. */
  deviceId: number
  /** Threads inside one operator on the CPU. */
  intraOpThreads: number
  /** Whether those threads spin while they wait for work, on the CPU. */
  spinning: boolean
}

export interface OpenedModel {
  session: ModelSession
  device: Device
}

/** What keeps a precision off a provider, as the exporter makes the models. */
const UNSUITED: Partial<Record<Card['precision'], { provider: Provider; why: string }>> = {
  fp16: { provider: 'cpu', why: 'this is an fp16 model, made for CUDA; export int8 or fp32 for the CPU' },
  int8: {
    provider: 'cuda',
    why: 'this is an int8 model, made for the CPU; export fp16 or fp32 for CUDA',
  },
  int4: {
    provider: 'cuda',
    why: 'this is an int4 model, made for the CPU; export fp16 or fp32 for CUDA',
  },
}

/**
 * Loads a model on a device. `auto` takes CUDA when the model suits it and all of CUDA is there, else the CPU, and
 * says why; a named device that cannot be used is an error, never a silent second choice.
 *
 * @param path of model.onnx
 * @throws ServiceError MODEL_UNUSABLE: the device, or a model that was not made for it or cannot be loaded
 */
export async function openOnDevice(
  path: string,
  precision: Card['precision'],
  options: DeviceOptions,
): Promise<OpenedModel> {
  const unsuited = UNSUITED[precision]
  const open = (provider: Provider) => openSession(path, { ...options, provider })
  const noCuda = unsuited?.provider === 'cuda' ? unsuited.why : missingForCuda()

  if (options.device === 'cuda') {
    if (noCuda) throw refusal('cuda', noCuda)
    const session = await open('cuda').catch((cause) => {
      throw refusal('cuda', cudaFailure(cause), cause)
    })
    return { session, device: { provider: 'cuda', reason: `CUDA device ${options.deviceId}, as configured` } }
  }

  let reason = 'as configured'
  if (options.device === 'auto') {
    if (!noCuda) {
      const opened = await open('cuda').catch((cause) => cudaFailure(cause))
      if (typeof opened !== 'string') {
        return {
          session: opened,
          device: { provider: 'cuda', reason: `CUDA device ${options.deviceId} was found` },
        }
      }
      reason = `because CUDA cannot be used: ${opened}`
    } else {
      reason = `because CUDA cannot be used: ${noCuda}`
    }
  }
  if (unsuited?.provider === 'cpu') throw refusal('cpu', `${unsuited.why}. The CPU was chosen ${reason}`)
  const session = await open('cpu').catch((cause) => {
    throw refusal(
      'cpu',
      'ONNX Runtime cannot load its model.onnx (the log has the cause); export it again',
      cause,
    )
  })
  return { session, device: { provider: 'cpu', reason } }
}

/** Which part of CUDA is absent, as a sentence part; undefined if none is. */
function missingForCuda(): string | undefined {
  const library = cudaProviderPath()
  if (!existsSync(library)) {
    return `the CUDA libraries of ONNX Runtime are not installed (no ${basename(library)}; fetch them with ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js)`
  }
  if (!['/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))) {
    return 'no NVIDIA device is visible (in a container, pass the GPU through and install its toolkit)'
  }
  return undefined
}

function cudaFailure(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  const library = /lib(cudnn|cublas|cublasLt|cudart|cufft|curand)[\w.]*/.exec(message)?.[0]
  if (library) return `${library} cannot be loaded; install CUDA 12 and cuDNN 9`
  return `the runtime could not start it (${message.split('\n')[0]?.slice(0, 200)})`
}

function refusal(provider: Provider, why: string, cause?: unknown): ServiceError {
  return new ServiceError('MODEL_UNUSABLE', `The model cannot run on ${provider}: ${why}.`, {}, cause)
}
