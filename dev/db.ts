/** Owns `db:migrate`, `db:generate` and `db:seed`: the schema's commands, on the stores that are named or run. */
import { join } from 'node:path'
import { findAccountByEmail, giveRole } from '../db/accounts.ts'
import { connectLedger } from '../db/client.ts'
import { dataDirOf, requireDatabaseUrl } from './live-stores.ts'
import { prepareLedger } from './up/ledger.ts'
import { keepSecrets } from './up/secrets.ts'

const root = join(import.meta.dir, '..')

const commands: Record<string, () => Promise<number>> = {
  async migrate() {
    await prepareLedger(requireDatabaseUrl(), null)
    console.log('The schema and the roles are up to date')
    return 0
  },
  async seed() {
    const admin = process.argv.indexOf('--admin')
    if (admin > 0) return makeAdministrator(process.argv[admin + 1])
    const { demoPasswords } = keepSecrets(dataDirOf(process.env))
    const demo = await prepareLedger(requireDatabaseUrl(), demoPasswords)
    console.log(`The demo is loaded: event ${demo?.eventId}`)
    for (const { email, password, role } of demo?.accounts ?? [])
      console.log(`  ${role} ${email} ${password}`)
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

/** The first administrator of an installation without demo accounts; the others are made in the client. */
async function makeAdministrator(email: string | undefined): Promise<number> {
  if (!email) return complain('Say whom: db:seed -- --admin EMAIL')
  const url = requireDatabaseUrl()
  await prepareLedger(url, null)
  const { db, close } = connectLedger(url, { max: 1, name: 'onsale-seed' })
  try {
    const account = await findAccountByEmail(db, email)
    if (!account?.verifiedAt)
      return complain(`No account with a confirmed address ${email}: register it first`)
    await db.transaction((tx) => giveRole(tx, account.id, 'ADMIN'))
    console.log(`${email} is an administrator, within half a minute`)
    return 0
  } finally {
    await close()
  }
}

function complain(sentence: string): number {
  console.error(sentence)
  return 1
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
