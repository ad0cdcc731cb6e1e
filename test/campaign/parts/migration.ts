import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { connect } from '../../../src/index/embedded/database/connection.ts'
import { startEmbeddedEngine } from '../../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../../src/index/index-engine.ts'
import type { Part } from '../part.ts'

const FIXTURE = fileURLToPath(new URL('../../fixtures/format-1', import.meta.url))
const CHILD = fileURLToPath(new URL('../../index/open-folder.ts', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
/** Beside those of the fixture: enough for a conversion of some length. */
const MORE = 6_000
const KILLS = 4

interface Expected {
  dimensions: number
  fingerprint: string
  documents: { id: string; text: string }[]
}

/** A folder of the first format, whose conversion is killed at random moments: in the end all of it is there. */
export const migration: Part = {
  tries: 'documents checked after conversions that were killed',
  async round({ random, tally, scratch }) {
    const { documents, dimensions, fingerprint }: Expected = JSON.parse(
      readFileSync(join(FIXTURE, 'expected.json'), 'utf8'),
    )
    const folder = join(scratch, 'data')
    cpSync(join(FIXTURE, 'folder'), folder, { recursive: true })
    addDocuments(folder)
    for (let kill = 0; kill < KILLS; kill++)
      await convertFor(400 + random.below(2500), folder, { dimensions, fingerprint })

    const engine = await startEmbeddedEngine({ dataDir: folder })
    const index = await engine.open(DEFAULT_COLLECTION, { dimensions, fingerprint })
    const { documents: count } = await index.stats()
    tally.expect(
      count === documents.length + MORE,
      `${count} documents of ${documents.length + MORE} are there`,
    )
    const ids = [...documents.map(({ id }) => id), ...Array.from({ length: MORE }, (_, i) => `more-${i + 1}`)]
    for (let start = 0; start < ids.length; start += 500) {
      const some = ids.slice(start, start + 500)
      const found = await index.get(some)
      for (const [i, id] of some.entries()) {
        const text = documents.find((document) => document.id === id)?.text ?? `text ${id.slice(5)}`
        tally.expect(found[i]?.text === text, `${id} is not as it was`)
      }
    }
    await engine.close()
  },
}

function addDocuments(folder: string): void {
  const db = connect(join(folder, 'store.sqlite'))
  db.exec(`
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${MORE})
    INSERT INTO documents (id, title, text, metadata)
      SELECT 'more-' || n, NULL, 'text ' || n, '{"n":' || n || '}' FROM n;
    INSERT INTO vectors SELECT label, (SELECT vector FROM vectors LIMIT 1) FROM documents WHERE id LIKE 'more-%';
    INSERT INTO metadata_values SELECT 'n', json_extract(metadata, '$.n'), label FROM documents WHERE id LIKE 'more-%';
  `)
  db.close()
}

/** Opens the folder in a process of its own and kills that after so many milliseconds. */
async function convertFor(ms: number, folder: string, identity: object): Promise<void> {
  const child = spawn(process.execPath, ['--import', TSX, CHILD, folder, JSON.stringify(identity)], {
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  await sleep(ms)
  child.kill('SIGKILL')
  await exited
}
