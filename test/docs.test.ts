import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const pagesIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
const documents = ['.', 'docs', 'models/llara-mini', 'scripts/train'].flatMap(pagesIn)

test('there are documents to look at', () => expect(documents.length).toBeGreaterThan(8))

test.each(documents)('every link of %s leads somewhere', (file) => {
  const text = readFileSync(join(root, file), 'utf8')
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
  const dead = links
    .filter((link) => !/^(https?:|#)/.test(link))
    .filter((link) => !existsSync(resolve(root, dirname(file), link.split('#')[0]!)))
  expect(dead).toEqual([])
})

test.each(documents)('every npm script that %s names exists', (file) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const named = [...readFileSync(join(root, file), 'utf8').matchAll(/npm run (?:--silent )?([\w:]+)/g)]
  expect(named.map(([, name]) => name!).filter((name) => !scripts[name])).toEqual([])
})
