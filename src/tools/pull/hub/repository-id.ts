import { ToolError } from '../../../cli/tool-error.ts'

/** `owner/name`, as the hub spells it; a few old models have no owner. */
const REPOSITORY = /^(?:[A-Za-z0-9][\w.-]{0,95}\/)?[A-Za-z0-9][\w.-]{0,95}$/
/** Branch, tag, commit or `refs/pr/3`. */
const REVISION = /^[A-Za-z0-9][\w./-]{0,199}$/

/** @throws ToolError INVALID_USAGE when it cannot be the name of a model repository */
export function checkRepositoryId(repository: string): string {
  if (REPOSITORY.test(repository) && !repository.includes('..') && !repository.includes('--'))
    return repository
  const message = `${JSON.stringify(repository)} is not a repository such as BAAI/LLARA-passage.`
  throw new ToolError('INVALID_USAGE', message)
}

/** @throws ToolError INVALID_USAGE when it cannot be a revision */
export function checkRevision(revision: string): string {
  if (REVISION.test(revision) && !revision.includes('..')) return revision
  const message = `${JSON.stringify(revision)} is not a revision: name a branch, a tag or a commit.`
  throw new ToolError('INVALID_USAGE', message)
}

/** Folder name of a repository: `BAAI/LLARA-passage` -> `BAAI--LLARA-passage`, which no other one has. */
export function folderName(repository: string): string {
  return repository.replace('/', '--')
}
