/** Owns how the ledger is made ready before anyone is served: schema, roles, and the demo when it is wanted. */
import { connectLedger } from '../../db/client.ts'
import { migrateLedger } from '../../db/migrate.ts'
import { seedDemo, seedRoles } from '../../db/seed.ts'
import type { DemoAccount, RunFile } from './run-file.ts'
import type { DemoPasswords } from './secrets.ts'

const CONNECTIONS = 2

/** `passwords` is null when no demo is wanted. Safe to repeat at every start. */
export async function prepareLedger(url: string, passwords: DemoPasswords | null): Promise<RunFile['demo']> {
  await migrateLedger(url)
  const { db, close } = connectLedger(url, { max: CONNECTIONS, name: 'onsale-up' })
  try {
    await seedRoles(db)
    if (passwords === null) return null
    const { eventId, accounts } = await seedDemo(db, { passwords })
    const known = accounts.map(({ email, role }) => {
      const name = email.slice(0, email.indexOf('@')) as keyof DemoPasswords
      return { email, password: passwords[name], role: role as DemoAccount['role'] }
    })
    return { eventId, accounts: known }
  } finally {
    await close()
  }
}
