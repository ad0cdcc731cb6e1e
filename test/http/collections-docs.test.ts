import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { scratchFolder } from '../index/scratch.ts'
import { openStored } from './stored-service.ts'

/** The curl lines of a page, in their order. */
function commands(page: string): { method: string; path: string; body: string | undefined }[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) =>
    block.replaceAll('\\\n', ' '),
  )
  return blocks
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('curl '))
    .map((line) => {
      const body = /-d '(.*)'/.exec(line)?.[1]
      const method = /-X (\w+)/.exec(line)?.[1] ?? (body === undefined ? 'GET' : 'POST')
      return { method, path: /localhost:8080(\S+)/.exec(line)![1]!, body }
    })
}

test('the lines of docs/collections.md work, one after another', async () => {
  const { url } = await openStored(await scratchFolder())
  const lines = commands('collections.md')
  expect(lines.length).toBeGreaterThan(15)
  const answers: string[] = []
  for (const { method, path, body } of lines) {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
    })
    if (!answer.ok) answers.push(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  }
  expect(answers).toEqual([])
})
