// Keeps the fault bench itself working: a short run of it finds nothing in the real ledger, and finds a ledger that lies.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sufferOn, type ChaosOptions } from '../../dev/chaos/run.ts'
import { startChaosStack, type ChaosStack } from '../../dev/chaos/stack.ts'

const START_WITHIN_MS = 60_000
const RUN_WITHIN_MS = 60_000
const SEED = 7

let stack: ChaosStack
beforeAll(async () => {
  stack = await startChaosStack({ smallDisk: false, falseClocks: false })
}, START_WITHIN_MS)
afterAll(() => stack.stop(), START_WITHIN_MS)

const options = (more: Partial<ChaosOptions>): ChaosOptions => ({
  seed: SEED,
  faults: 0,
  together: 2,
  reservations: 400,
  kinds: [],
  say() {},
  ...more,
})

test(
  'a sale goes on through an emptied Redis, a lost back end and lost answers, two of them at once, and no promise is broken',
  async () => {
    const { history, struck, judged } = await sufferOn(
      stack,
      options({ faults: 4, kinds: ['redis-emptied', 'backend-ended', 'link-unanswered'] }),
    )
    expect(history.violations).toEqual([])
    expect(struck.map(({ recoveredMs }) => recoveredMs)).not.toContain(null)
    expect(history.attempts.get('held')).toBeGreaterThan(50)
    expect(judged.audit.map(({ id, ok }) => `${id} ${ok}`)).not.toContain('I1 false')
  },
  RUN_WITHIN_MS,
)

test(
  'a ledger that ends holds before their time, and breaks no invariant by it, is found out',
  async () => {
    const { history, judged } = await sufferOn(
      stack,
      options({
        async meanwhile({ ledger: { sql } }, { eventId }) {
          // What an expiry without its predicate would do: consistent in itself, but not what buyers were told.
          await sql`
            with early as (
              update bookings set status = 'EXPIRED', ended_at = now()
              where event_id = ${eventId} and status = 'PENDING' and expires_at > now() + interval '1 second'
              returning event_id, id),
            gone as (
              update booking_seats s set live = false from early e
              where s.event_id = e.event_id and s.booking_id = e.id)
            update seats s set status = 'AVAILABLE', booking_id = null, version = version + 1 from early e
            where s.event_id = e.event_id and s.booking_id = e.id`
        },
      }),
    )
    expect(judged.audit.filter(({ ok }) => !ok)).toEqual([])
    expect(history.violations.join('\n')).toMatch(/no order explains/)
  },
  RUN_WITHIN_MS,
)
