import { join } from 'node:path'
import { sendRaw } from '../fuzz/raw-request.ts'
import { type FuzzRequest, fuzzRequest } from '../fuzz/requests.ts'
import type { Part } from '../part.ts'
import { makeDocument, Service } from '../world/service.ts'

const REQUESTS = 1500
const AT_ONCE = 4

/**
 * Requests near what is right and far from it. None may get a fault of ours (5xx), each refusal is a problem with a code,
 * the process lives, and afterwards a document that was never touched is as it was.
 */
export const fuzz: Part = {
  tries: 'requests that were damaged on purpose',
  async round({ random, tally, model, scratch, until }) {
    const service = await Service.start({
      MODEL: model,
      DATA_DIR: join(scratch, 'data'),
      BODY_BYTES_MAX: '65536',
    })
    const untouched = Array.from({ length: 20 }, (_, i) => makeDocument(`untouched-${i}`, -1))
    const stored = await service.send('POST', '/documents', { documents: untouched })
    if (stored?.status !== 200) throw new Error(`storing answered ${stored?.status}`)
    const lane = async () => {
      for (let i = 0; i < REQUESTS / AT_ONCE && performance.now() < until; i++) {
        const request = fuzzRequest(random)
        const fault = faultOf(await sendRaw(service.process.url, request))
        tally.expect(fault === undefined, `${describe(request)}: ${fault}`)
        service.mustLive()
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    const documents = await service.documents()
    for (const { id } of untouched) tally.expect(documents.has(id), `${id} is gone`)
    await service.stop()
  },
}

function faultOf(answer: Awaited<ReturnType<typeof sendRaw>>): string | undefined {
  if (!answer) return 'no answer'
  if (answer.status >= 500) return `${answer.status} ${answer.body.slice(0, 300)}`
  if (answer.status < 400 || answer.body === '') return undefined
  const problem = /application\/problem\+json/.test(answer.headers) && /"code":"[A-Z_]+"/.test(answer.body)
  // A refused stream answers with its summary, whose faults have codes.
  return problem || /"errors":\[/.test(answer.body)
    ? undefined
    : `${answer.status} without a code: ${answer.body.slice(0, 200)}`
}

function describe({ method, path, headers, body }: FuzzRequest): string {
  return `${method} ${path.slice(0, 200)} ${JSON.stringify(headers)} ${JSON.stringify(body?.toString('latin1').slice(0, 400) ?? '')}`
}
