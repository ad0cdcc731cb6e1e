import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import dockerignore from '@balena/dockerignore'

/** What a builder sees of a folder: the files there, less what .dockerignore leaves out. */
export interface BuildContext {
  exists(path: string): boolean
  ignores(path: string): boolean
}

/** The context that `docker build <root>` sends. */
export function buildContext(root: string): BuildContext {
  const rules = ignoreRules(readFileSync(join(root, '.dockerignore'), 'utf8'))
  return { exists: (path) => existsSync(join(root, path)), ignores: (path) => rules.ignores(path) }
}

export function ignoreRules(dockerignoreFile: string) {
  // The package's types describe `module.exports.default`, which is the same function.
  return dockerignore.default().add(dockerignoreFile)
}
