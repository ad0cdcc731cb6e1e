import { Type } from 'typebox'
import { ServiceError } from '../../errors.ts'
import type { Backup } from '../../index/backups.ts'
import { signalOf } from '../guards/deadline.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { PROBLEMS } from '../wire/schemas.ts'

const Name = Type.String({
  description: '1 to 64 of a-z, 0-9, point, _ and -, a letter or digit first.',
  examples: ['before-the-upgrade'],
})
const Params = Type.Object({ name: Name })

const BackupFields = {
  name: Name,
  created_at: Type.String({
    description: 'UTC. Everything acknowledged before this moment is in it.',
    examples: ['2026-01-31T12:30:05.123Z'],
  }),
  bytes: Type.Integer(),
  collections: Type.Array(
    Type.Object({ name: Type.String(), documents: Type.Integer(), passages: Type.Integer() }),
  ),
}

export function backupRoutes(server: Server, { config, backups }: HttpContext): void {
  server.post(
    '/backups',
    {
      config: { access: 'write', ownDeadline: true, audit: true },
      schema: {
        tags: ['operation'],
        operationId: 'createBackup',
        summary: 'Make a backup',
        description:
          'Copies all collections as they are at one moment, while writes and searches go on; the answer comes when the copy has been verified and is on the disk. One at a time. The oldest beyond BACKUPS_MAX are removed. If the caller goes away, nothing is kept. `llara-serve restore` makes a data folder of it.',
        querystring: Type.Object({ name: Type.Optional(Name) }, { additionalProperties: false }),
        response: {
          201: Type.Object({
            ...BackupFields,
            removed: Type.Array(Name, { description: 'Older backups that were removed.' }),
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { name } = request.query
      const late = AbortSignal.timeout(config.backupTimeoutMs)
      const options = {
        signal: AbortSignal.any([signalOf(request), late]),
        ...(name !== undefined && { name }),
      }
      const { backup, removed } = await backups()
        .create(options)
        .catch((error) => {
          if (!late.aborted) throw error
          const message = `The backup took longer than ${config.backupTimeoutMs} ms (BACKUP_TIMEOUT_MS); nothing of it was kept.`
          throw new ServiceError('ABORTED', message, {}, error)
        })
      return reply
        .code(201)
        .header('location', `/backups/${backup.name}`)
        .send({ ...wireOf(backup), removed })
    },
  )

  server.get(
    '/backups',
    {
      config: { access: 'write' },
      schema: {
        tags: ['operation'],
        operationId: 'listBackups',
        summary: 'List backups',
        description: 'Newest first. Each was verified when it was made.',
        response: { 200: Type.Object({ backups: Type.Array(Type.Object(BackupFields)) }), ...PROBLEMS },
      },
    },
    async () => ({ backups: (await backups().list()).map(wireOf) }),
  )

  server.get(
    '/backups/:name',
    {
      config: { access: 'write', ownDeadline: true, audit: true, answerMsMax: config.backupTimeoutMs },
      // It would read the archive to its end.
      exposeHeadRoute: false,
      schema: {
        tags: ['operation'],
        operationId: 'downloadBackup',
        summary: 'Download a backup',
        description:
          'A tar archive, which `llara-serve restore` takes as it is, and verifies: it holds the checksums of its files.',
        params: Params,
        response: {
          200: {
            description: 'The archive.',
            content: {
              'application/x-tar': { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) },
            },
          },
          ...PROBLEMS,
        },
      },
    },
    async ({ params: { name } }, reply) => {
      const archive = await backups().read(name)
      return reply
        .type('application/x-tar')
        .header('content-disposition', `attachment; filename="${name}.tar"`)
        .send(archive)
    },
  )

  server.delete(
    '/backups/:name',
    {
      config: { access: 'write' },
      schema: {
        tags: ['operation'],
        operationId: 'deleteBackup',
        summary: 'Delete a backup',
        params: Params,
        response: { 200: Type.Object({ removed: Type.Integer() }), ...PROBLEMS },
      },
    },
    async ({ params: { name } }) => {
      await backups().remove(name)
      return { removed: 1 }
    },
  )
}

function wireOf({ createdAt, ...backup }: Backup) {
  return { ...backup, created_at: createdAt }
}
