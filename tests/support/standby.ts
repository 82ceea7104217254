// Owns a PostgreSQL with a standby that streams from it, both on folders of a test.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres } from '../../dev/stores/postgres.ts'
import type { RunningStore } from '../../dev/stores/process.ts'
import { migrateLedger } from '../../db/migrate.ts'

const SYSTEM_POSTGRES = '/usr/lib/postgresql'
/** Only a PostgreSQL that is installed as a whole can be copied while it runs; undefined where there is none. */
export const STANDBY_BINARIES = existsSync(SYSTEM_POSTGRES)
  ? readdirSync(SYSTEM_POSTGRES)
      .map((version) => join(SYSTEM_POSTGRES, version, 'bin'))
      .find((folder) => existsSync(join(folder, 'pg_basebackup')))
  : undefined

interface Options {
  dir: string
  binaries: string
  /** As of startPostgres. */
  throwaway?: boolean
}

/** The primary has the ledger's schema, and nothing waits for the standby; its data lie in `dir`/standby. */
export async function startWithStandby({
  dir,
  ...options
}: Options): Promise<{ primary: RunningStore; standby: RunningStore }> {
  const primary = await startPostgres({ ...options, dir: join(dir, 'primary') })
  await migrateLedger(primary.url)
  const copy = Bun.spawnSync([
    join(options.binaries, 'pg_basebackup'),
    `--dbname=${primary.url}`,
    `--pgdata=${join(dir, 'standby/data')}`,
    '--write-recovery-conf',
    '--checkpoint=fast',
    '--no-sync',
  ])
  if (copy.exitCode !== 0) throw new Error(copy.stderr.toString())
  return { primary, standby: await startPostgres({ ...options, dir: join(dir, 'standby') }) }
}
