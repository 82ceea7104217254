// Owns the sale a bench sends its crowd to: a whole stack, an open room on its demo event, buyers with their tokens.
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectLedger } from '../../../db/client.ts'
import { createCrowd } from '../../../db/crowd.ts'
import { saveRoom, type RoomChoice } from '../../../db/rooms.ts'
import { createTokens } from '../../../server/tokens.ts'
import type { RunFile } from '../../up/run-file.ts'
import { startWholeStack } from '../../whole-stack.ts'

/** Questions under way at once, of all sockets together. */
export const ASK_IN_FLIGHT = 512
/** After this long a process has given back what it will. */
export const SETTLE_MS = 12_000
const BUYERS_AT_ONCE = 5_000
const SESSION_MS = 3_600_000
const CONNECTIONS = 2
/** Longer than the bench opens sockets for. */
const TOKEN_MS = 3_600_000

/** A line that moves: ten are called each second, nobody comes, and everybody else keeps waiting. */
const ROOM: RoomChoice = {
  enabled: true,
  lobbyAt: null,
  activeMax: 100_000,
  admitPerMinute: 600,
  doorSeconds: 10,
  passSeconds: 600,
  graceSeconds: 600,
}

export interface Sale {
  run: RunFile
  port: number
  eventId: string
  /** Of the sockets of its event. */
  path: string
  /** A file with one access token a line, of so many new buyers. */
  makeBuyers(count: number): Promise<string>
  stop(): Promise<void>
}

export async function openSale(servers: number): Promise<Sale> {
  const secret = Bun.randomUUIDv7() + Bun.randomUUIDv7()
  const stack = await startWholeStack({
    SERVERS: String(servers),
    JWT_SECRET: secret,
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'warn',
  })
  const { run } = stack
  const ledger = connectLedger(run.postgres.url, { max: CONNECTIONS, name: 'bench' })
  const eventId = run.demo!.eventId
  await saveRoom(ledger.db, eventId, ROOM)
  const tokens = createTokens({ secret })
  const files: string[] = []
  return {
    run,
    port: Number(new URL(run.url).port),
    eventId,
    path: `/ws/event/${eventId}`,
    async makeBuyers(count) {
      const file = join(tmpdir(), `onsale-bench-${Bun.randomUUIDv7()}`)
      files.push(file)
      const lines: string[] = []
      const expiresAt = new Date(Date.now() + TOKEN_MS)
      while (lines.length < count) {
        const sessionsUntil = new Date(Date.now() + SESSION_MS)
        const some = { count: Math.min(BUYERS_AT_ONCE, count - lines.length), sessionsUntil }
        for (const { id, email, sessionId } of await createCrowd(ledger.db, some))
          lines.push(await tokens.signAccess({ accountId: id, sessionId, email, expiresAt }))
      }
      await Bun.write(file, lines.join('\n'))
      return file
    },
    async stop() {
      for (const file of files) rmSync(file, { force: true })
      await ledger.close()
      await stack.stop()
    },
  }
}
