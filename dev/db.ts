/** Owns `db:migrate`, `db:generate` and `db:seed`: the schema's commands, on the stores that are named or run. */
import { join } from 'node:path'
import { migrateLedger } from '../db/migrate.ts'
import { seedDemo } from '../db/seed.ts'
import { requireDatabaseUrl } from './live-stores.ts'
import { keepSecrets } from './up/secrets.ts'

const root = join(import.meta.dir, '..')

const commands: Record<string, () => Promise<number>> = {
  async migrate() {
    await migrateLedger(requireDatabaseUrl())
    console.log('The schema is up to date')
    return 0
  },
  async seed() {
    const { accounts } = keepSecrets(join(root, process.env.DATA_DIR?.trim() || '.data'))
    const { eventId } = await seedDemo(requireDatabaseUrl(), accounts)
    console.log(`The demo is loaded: event ${eventId}`)
    for (const { email, password, role } of accounts) console.log(`  ${role} ${email} ${password}`)
    return 0
  },
  async generate() {
    const words = ['node_modules/drizzle-kit/bin.cjs', 'generate', '--config', 'db/drizzle.config.ts']
    const child = Bun.spawn([process.execPath, ...words, ...process.argv.slice(3)], {
      cwd: root,
      stdio: ['inherit', 'inherit', 'inherit'],
    })
    return child.exited
  },
}

const command = commands[process.argv[2] ?? '']
if (!command) {
  console.error(`Say what to do: ${Object.keys(commands).join(', ')}`)
  process.exit(1)
}
try {
  process.exit(await command())
} catch (error) {
  console.error(`This did not work: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
