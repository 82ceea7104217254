// Shows that everybody on a server that is killed, or told to stop, is soon on the same place elsewhere.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openSurvivors, type Survivor } from '../../dev/bench/survivors.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { startServerProcesses } from '../support/server-processes.ts'
import { eventually } from '../support/socket-client.ts'

const ROOM = { activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const SERVERS = 2
const PEOPLE = 1_000
const RESUMED_WITHIN_MS = 15_000
const RESUMED_SHARE = 0.99
const WITHIN_MS = 60_000
/** The one the harness signs with. */
const JWT_SECRET = 'a secret of the tests, long enough for HS256'

let app: AppHarness
beforeAll(async () => {
  app = await startApp()
}, START_WITHIN_MS)
afterAll(() => app.close(), START_WITHIN_MS)

/** A paused line of PEOPLE on two processes; `end` is done to the first. */
async function lose(end: 'SIGKILL' | 'SIGTERM'): Promise<{ all: Survivor[]; lost: Survivor[]; at: number }> {
  const { eventId, organizer } = await app.event({ room: ROOM })
  await app.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
  const servers = await startServerProcesses(SERVERS, { stores: app.stores, jwtSecret: JWT_SECRET })
  try {
    const people = await app.people(PEOPLE)
    const all = await openSurvivors(
      servers.url,
      eventId,
      people.map(({ token }) => token),
    )
    const at = performance.now()
    servers.all[0]!.kill(end)
    const lost = () => all.filter(({ lostAt }) => lostAt >= at)
    const back = () => lost().filter((one) => one.joinedAt > one.lostAt)
    await eventually('sockets were lost', () => lost().length > 0)
    await eventually(
      'nearly all are back',
      () => back().length >= lost().length * RESUMED_SHARE && performance.now() - at > 1_000,
      RESUMED_WITHIN_MS,
    )
    for (const one of all) one.close()
    return { all, lost: lost(), at }
  } finally {
    await servers.close()
  }
}

function expectSamePlaces({ all, lost }: { all: Survivor[]; lost: Survivor[] }) {
  expect(lost.length).toBeGreaterThan(PEOPLE / SERVERS / 2)
  const numbers = all.map(({ lastNumber }) => lastNumber)
  expect(new Set(numbers).size).toBe(PEOPLE)
  for (const one of lost) expect(one.lastNumber).toBe(one.number)
  expect(all.flatMap(({ ended }) => ended)).toEqual([])
}

describe('a server process', () => {
  test(
    'that is killed loses nobody’s place',
    async () => {
      expectSamePlaces(await lose('SIGKILL'))
    },
    WITHIN_MS,
  )

  test(
    'that is told to stop spreads its people over a while, and they resume elsewhere',
    async () => {
      const after = await lose('SIGTERM')
      expectSamePlaces(after)
      for (const { closedWith } of after.lost) expect(closedWith).toBe(4001)
      // Not all at once: the middle half of the returns takes a good part of the spread.
      const back = after.lost.map(({ joinedAt }) => joinedAt - after.at).toSorted((a, b) => a - b)
      expect(back[Math.floor(back.length * 0.75)]! - back[Math.floor(back.length * 0.25)]!).toBeGreaterThan(
        150,
      )
    },
    WITHIN_MS,
  )
})
