import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ToolError } from '../../../../src/cli/tool-error.ts'
import { writeFolderAtomically } from '../../../../src/tools/export/folder/write-folder.ts'

it('what does not read back as it was written takes no name, and what stood there stays', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'llara-written-'))
  const out = join(parent, 'model')
  const fill = (text: string) => async (folder: string) => writeFileSync(join(folder, 'file'), text)
  await writeFolderAtomically(out, { overwrite: false, bytes: 1 }, fill('old'))
  const check = async (folder: string) => {
    if (readFileSync(join(folder, 'file'), 'utf8') !== 'right') throw new ToolError('NOT_WRITABLE', 'another')
  }
  const options = { overwrite: true, bytes: 1, check }
  await expect(writeFolderAtomically(out, options, fill('wrong'))).rejects.toMatchObject({
    code: 'NOT_WRITABLE',
  })
  expect(readdirSync(parent)).toEqual(['model'])
  expect(readFileSync(join(out, 'file'), 'utf8')).toBe('old')
  await writeFolderAtomically(out, options, fill('right'))
  expect(readFileSync(join(out, 'file'), 'utf8')).toBe('right')
})
