/**
 * A client that does nothing but ask /livez, in a process of its own: `stall-probe-child.ts URL`. Each line on standard input is
 * a number of seconds to ask for; the answer is a line of JSON with the milliseconds that /livez took.
 */
import { Agent, get } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from './sample-texts.ts'

/** Between two questions. */
const PAUSE_MS = 5

const url = `${process.argv[2]}/livez`
const agent = new Agent({ keepAlive: true })
// The first questions connect and compile, and are no measure of the service.
await ask(0.2)
console.log('ready')
for await (const seconds of createInterface(process.stdin)) {
  const times = await ask(Number(seconds))
  const [p50, p99, max] = [quantile(times, 0.5), quantile(times, 0.99), Math.max(...times)]
  console.log(JSON.stringify({ count: times.length, p50, p99, max }))
}

async function ask(seconds: number): Promise<number[]> {
  const times: number[] = []
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(PAUSE_MS)) {
    const started = performance.now()
    await answer()
    // Whoever would have asked while this answer was awaited would have waited for the rest of that time.
    for (let ms = performance.now() - started; ms > 0; ms -= PAUSE_MS) times.push(ms)
  }
  return times
}

function answer(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`/livez answered ${response.statusCode}`))
      response.resume().once('end', resolve).once('error', reject)
    })
    request.once('error', reject)
  })
}
