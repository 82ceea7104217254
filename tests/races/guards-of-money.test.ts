// Shows what each guard of a sale, an expiry and an owner is worth: with it gone, and only then, a named scenario ends a
// hold too early, undoes a paid booking, keeps money for nothing, or lets a stranger in.
import { eq, sql } from 'drizzle-orm'
import { bookings, payments } from '../../db/schema.ts'
import { inTransaction } from '../../db/client.ts'
import { aBuyer, aCapture, aHold, anEvent, buyers } from '../support/a-ledger.ts'
import { describeGuards, harmOf, type Scenario, type Stage } from '../support/guards.ts'
import { untilWaiting } from '../support/standstill.ts'
import type { Cut } from '../support/unguarded-ledger.ts'

const EXPIRE = 'bookings/expire-bookings.ts'
const FREE = 'bookings/free-seats.ts'
const CONFIRM = 'bookings/confirm-booking.ts'
const BUY = 'bookings/buy-held-seats.ts'

const dueInSweep: Cut = {
  file: EXPIRE,
  text: ` and \${bookings.expiresAt} <= now() and \${isOver()}\`)`,
  instead: '`)',
}
const dueInTakeOver: Cut = { file: EXPIRE, text: `= 'PENDING' and \${isOver()}\``, instead: "= 'PENDING'`" }
const dueInUpdate: Cut = { file: FREE, text: `sql\`and \${isOver()}\``, instead: 'sql``' }
const pendingInUpdate: Cut = {
  file: FREE,
  text: `and \${bookings.status} = \${from} \${due}`,
  instead: '${due}',
}
const dueInPurchase: Cut = { file: BUY, text: ' and not b.over and b.total', instead: ' and b.total' }
const dueInPurchaseUpdate: Cut = {
  file: BUY,
  text: `
        and not \${isOver(sql\`b.expires_at\`, sql\`b.frozen_ms\`)}`,
}
const toldBefore: Cut = {
  file: BUY,
  text: `
        and not exists (
          select from \${payments} known where known.event_id = asked.event_id and known.provider = asked.provider
            and known.provider_ref = asked."providerRef" and known.status <> 'PROCESSING')`,
}
const toldMeanwhile: Cut = { file: BUY, text: "\n      where known.status = 'PROCESSING'" }
const sweepLock: Cut = {
  file: EXPIRE,
  text: `        .limit(size)
        .for('no key update', { skipLocked: true })`,
  instead: '.limit(size)',
}
const allSeatsFree: Cut = {
  file: EXPIRE,
  text: 'return due.filter(({ id }) => missing.get(id) === 0)',
  instead: 'return due',
}
const confirmedSince: Cut = { table: 'bookings', constraint: 'bookings_confirmed' }
const uniqueIndex: Cut = { index: 'booking_seats_live_key' }

const makeOverdue = ({ db }: Stage, id: string) =>
  db
    .update(bookings)
    .set({ expiresAt: sql`now() - interval '1 second'` })
    .where(eq(bookings.id, id))
const statusOf = async ({ db }: Stage, id: string) =>
  (await db.select({ status: bookings.status }).from(bookings).where(eq(bookings.id, id)))[0]!.status
const confirmOf = (booking: { id: string; accountId: string; total: number }) => ({
  bookingId: booking.id,
  accountId: booking.accountId,
  payment: aCapture(booking),
})

const sweepEarly: Scenario = async (stage) => {
  const booking = await aHold(stage.alone[0], { eventId: await anEvent(stage.db) })
  await stage.ledger.expireDueBookings(stage.alone[0])
  return (await statusOf(stage, booking.id)) === 'PENDING' ? null : 'a hold with minutes to go is ended'
}

const takeOverEarly: Scenario = async (stage) => {
  const eventId = await anEvent(stage.db)
  const booking = await aHold(stage.alone[0], { eventId })
  const [accountId] = await buyers(stage.db, 1)
  const hold = { eventId, accountId: accountId!, seats: [0], bookingId: Bun.randomUUIDv7() }
  const decided = await inTransaction(stage.db, (tx) => stage.ledger.commitHolds(tx, [hold]))
  const lost = decided[0]!.outcome.ok || (await statusOf(stage, booking.id)) !== 'PENDING'
  return lost ? 'the next buyer takes a hold that has minutes to go' : null
}

/** A confirmation has begun in time and not ended when the hold's end comes; then the sweep. */
const confirmAtTheEdge: Scenario = async (stage) => {
  const { db, ledger } = stage
  const booking = await aHold(stage.alone[0], { eventId: await anEvent(db) })
  const { promise: written, resolve: hasWritten } = Promise.withResolvers<void>()
  const { promise: goOn, resolve: endIt } = Promise.withResolvers<void>()
  await db
    .update(bookings)
    .set({ expiresAt: sql`now() + interval '400 ms'` })
    .where(eq(bookings.id, booking.id))
  const sale = db.transaction(async (tx) => {
    const [said] = await ledger.commitConfirmations(tx, [confirmOf(booking)])
    hasWritten()
    await goOn
    return said!.kind
  })
  await Promise.race([written, sale])
  await Bun.sleep(450)
  const sweep = ledger.expireDueBookings(stage.alone[1])
  // With nothing locked beforehand, the sweep comes to wait in its UPDATE for the sale to end.
  await untilWaiting(db, 1, sweep)
  endIt()
  if ((await sale) !== 'confirmed') throw new Error('the sale did not begin in time')
  await sweep
  return harmOf(db)
}

/** Late money of one hold while the buyer's other hold fills the limit. */
const lateAndOverTheLimit: Scenario = async (stage) => {
  const eventId = await anEvent(stage.db, { maxSeatsPerBuyer: 2 })
  const accountId = await aBuyer(stage.db)
  const late = await aHold(stage.alone[0], { eventId, accountId, seats: [0, 1] })
  await makeOverdue(stage, late.id)
  await aHold(stage.alone[0], { eventId, accountId, seats: [2, 3] })
  await stage.ledger.confirmBooking(stage.alone[0], confirmOf(late))
  await stage.ledger.expireDueBookings(stage.alone[0])
  return harmOf(stage.db)
}

const lateAndTaken: Scenario = async (stage) => {
  const eventId = await anEvent(stage.db)
  const late = await aHold(stage.alone[0], { eventId })
  await makeOverdue(stage, late.id)
  await stage.ledger.expireDueBookings(stage.alone[0])
  await aHold(stage.alone[0], { eventId })
  await stage.ledger.confirmBooking(stage.alone[0], confirmOf(late)).catch(() => {})
  return harmOf(stage.db)
}

const toldTwice: Scenario = async (stage) => {
  const booking = await aHold(stage.alone[0], { eventId: await anEvent(stage.db) })
  await stage.ledger.confirmBooking(stage.alone[0], confirmOf(booking))
  await stage.ledger.confirmBooking(stage.alone[0], confirmOf(booking))
  return harmOf(stage.db)
}

/** Money of the wrong amount is due back; then the same charge is told with the right one. */
const refundedThenTold: Scenario = async (stage) => {
  const booking = await aHold(stage.alone[0], { eventId: await anEvent(stage.db) })
  const told = confirmOf(booking)
  await stage.ledger.confirmBooking(stage.alone[0], { ...told, payment: { ...told.payment, amount: 1 } })
  await stage.ledger.confirmBooking(stage.alone[0], told)
  const [payment] = await stage.db.select().from(payments).where(eq(payments.bookingId, booking.id))
  return payment!.status === 'REFUND_DUE' ? null : 'a booking is bought with money that is on its way back'
}

const paidTwice: Scenario = async (stage) => {
  const { db, ledger, alone } = stage
  const booking = await aHold(alone[0], { eventId: await anEvent(db) })
  const start = { bookingId: booking.id, accountId: booking.accountId, method: 'sandbox_ok' }
  const opened = await Promise.allSettled(alone.map((gate) => ledger.startPayment(gate, start)))
  const fresh = opened.filter(
    (one) => one.status === 'fulfilled' && one.value.ok && one.value.payment && !one.value.underWay,
  )
  return fresh.length > 1 ? `${fresh.length} charges under way for one booking` : null
}

const byAStranger =
  (
    move: (
      stage: Stage,
      booking: { id: string; accountId: string; total: number },
      stranger: string,
    ) => Promise<{ ok: boolean }>,
  ): Scenario =>
  async (stage) => {
    const booking = await aHold(stage.alone[0], { eventId: await anEvent(stage.db) })
    const { ok } = await move(stage, booking, await aBuyer(stage.db))
    return ok ? "a stranger moves another's booking" : null
  }
const STRANGER = /a stranger moves/
const ALONE_OWNER = 'owner.accountId !== accountId'

const startByStranger = byAStranger(({ ledger, alone }, { id: bookingId }, accountId) =>
  ledger.startPayment(alone[0], { bookingId, accountId, method: 'sandbox_ok' }),
)
const confirmByStranger = byAStranger(({ ledger, alone }, booking, accountId) =>
  ledger.confirmBooking(alone[0], { ...confirmOf(booking), accountId }),
)

describeGuards('The guards of an expiry', [
  {
    guard: 'expiry predicate of the sweep',
    at: EXPIRE,
    cut: dueInSweep,
    covers: [['expiry predicate in the UPDATE', dueInUpdate]],
    story: 'the sweep runs while a hold has minutes to go',
    scenario: sweepEarly,
    harm: /is ended/,
  },
  {
    guard: 'expiry predicate in the UPDATE',
    at: FREE,
    cut: dueInUpdate,
    covers: [['expiry predicate of the sweep', dueInSweep]],
    story: 'the sweep runs while a hold has minutes to go',
    scenario: sweepEarly,
    harm: /is ended/,
  },
  {
    guard: 'expiry predicate of the next buyer',
    at: EXPIRE,
    cut: dueInTakeOver,
    covers: [['expiry predicate in the UPDATE', dueInUpdate]],
    story: 'a buyer asks for a seat that is held, without Redis',
    scenario: takeOverEarly,
    harm: /minutes to go/,
  },
  {
    guard: 'PENDING in the UPDATE',
    at: FREE,
    cut: pendingInUpdate,
    covers: [
      ['lock of the sweep', sweepLock],
      ['all seats to be had', allSeatsFree],
      ['CHECK bookings_confirmed', confirmedSince],
    ],
    story: 'a confirmation that began in time ends after the sweep has chosen the hold',
    scenario: confirmAtTheEdge,
    harm: /I5 broken/,
  },
  {
    guard: 'the sweep leaves bookings whose seats are being moved',
    at: EXPIRE,
    cut: allSeatsFree,
    covers: [
      ['lock of the sweep', sweepLock],
      ['PENDING in the UPDATE', pendingInUpdate],
      ['CHECK bookings_confirmed', confirmedSince],
    ],
    story: 'a confirmation that began in time ends after the sweep has chosen the hold',
    scenario: confirmAtTheEdge,
    harm: /I5 broken/,
  },
  {
    guard: 'SKIP LOCKED of the sweep',
    at: EXPIRE,
    cut: sweepLock,
    covers: [
      ['all seats to be had', allSeatsFree],
      ['PENDING in the UPDATE', pendingInUpdate],
      ['CHECK bookings_confirmed', confirmedSince],
    ],
    story: 'a confirmation that began in time ends after the sweep has chosen the hold',
    scenario: confirmAtTheEdge,
    harm: /I5 broken/,
  },
  {
    guard: 'CHECK bookings_confirmed',
    at: 'schema',
    cut: confirmedSince,
    covers: [
      ['lock of the sweep', sweepLock],
      ['all seats to be had', allSeatsFree],
      ['PENDING in the UPDATE', pendingInUpdate],
    ],
    story: 'a confirmation that began in time ends after the sweep has chosen the hold',
    scenario: async (stage) => confirmAtTheEdge(stage).catch(() => null),
    harm: /I5 broken/,
  },
])

describeGuards('The guards of money', [
  {
    guard: 'in time, when a payment is decided in a batch',
    at: BUY,
    cut: dueInPurchase,
    covers: [['expiry in the UPDATE', dueInPurchaseUpdate]],
    story: 'late money comes when the buyer has as many seats as they may',
    scenario: lateAndOverTheLimit,
    harm: /I11 broken/,
  },
  {
    guard: 'expiry in the UPDATE of a payment',
    at: BUY,
    cut: dueInPurchaseUpdate,
    covers: [['in time', dueInPurchase]],
    story: 'late money comes when the buyer has as many seats as they may',
    scenario: lateAndOverTheLimit,
    harm: /I11 broken/,
  },
  {
    guard: 'limit for late money',
    at: CONFIRM,
    cut: { file: CONFIRM, text: ' || event.held + rows.length > event.max' },
    story: 'late money comes when the buyer has as many seats as they may',
    scenario: lateAndOverTheLimit,
    harm: /I11 broken/,
  },
  {
    guard: 'late money keeps only what is free',
    at: CONFIRM,
    cut: { file: CONFIRM, text: ' || !rows.every(toBeHad)' },
    covers: [
      ['unique index', uniqueIndex],
      [
        'status in the UPDATE',
        { file: CONFIRM, text: `\n          and \${seats.status} = \${SEAT_MOVES[move].from}` },
      ],
    ],
    story: 'late money comes when the next buyer has the seat',
    scenario: lateAndTaken,
    harm: /I1 broken/,
  },
  {
    guard: 'status in the UPDATE, for late money',
    at: CONFIRM,
    cut: { file: CONFIRM, text: `\n          and \${seats.status} = \${SEAT_MOVES[move].from}` },
    covers: [
      ['unique index', uniqueIndex],
      ['only what is free', { file: CONFIRM, text: ' || !rows.every(toBeHad)' }],
    ],
    story: 'late money comes when the next buyer has the seat',
    scenario: lateAndTaken,
    harm: /I1 broken/,
  },
  {
    guard: 'unique index, for late money',
    at: 'schema, booking_seats_live_key',
    cut: uniqueIndex,
    covers: [
      [
        'status in the UPDATE',
        { file: CONFIRM, text: `\n          and \${seats.status} = \${SEAT_MOVES[move].from}` },
      ],
      ['only what is free', { file: CONFIRM, text: ' || !rows.every(toBeHad)' }],
    ],
    story: 'late money comes when the next buyer has the seat',
    scenario: lateAndTaken,
    harm: /I1 broken/,
  },
  {
    guard: 'a charge is booked once',
    at: CONFIRM,
    cut: {
      file: CONFIRM,
      text: "if (known) return known === 'kept' ? { kind: 'already' } : refundedAs(booking)",
    },
    story: 'the webhook of a payment comes twice',
    scenario: toldTwice,
    harm: /I5 broken/,
  },
  {
    guard: 'a charge is booked once, in a batch',
    at: BUY,
    cut: toldBefore,
    covers: [['a charge told meanwhile', toldMeanwhile]],
    story: 'a charge that is due back is told again with another amount',
    scenario: refundedThenTold,
    harm: /on its way back/,
  },
  {
    guard: 'a charge is booked once, though it was told meanwhile',
    at: BUY,
    cut: toldMeanwhile,
    covers: [['a charge told before', toldBefore]],
    story: 'a charge that is due back is told again with another amount',
    scenario: refundedThenTold,
    harm: /on its way back/,
  },
  {
    guard: 'one charge under way',
    at: 'db/payments.ts',
    cut: { index: 'payments_one_open_key' },
    covers: [
      [
        'look, alone',
        {
          file: 'payments.ts',
          text: 'if (open) return { ok: true, payment: open, underWay: true } as const',
        },
      ],
    ],
    story: 'two clicks on Pay, in two processes',
    scenario: paidTwice,
    harm: /2 charges/,
  },
])

describeGuards('The guards of an owner', [
  {
    guard: 'owner, on release',
    at: 'bookings/release-booking.ts',
    cut: { file: 'bookings/release-booking.ts', text: ` || ${ALONE_OWNER}` },
    story: 'a stranger gives a hold back',
    scenario: byAStranger(({ ledger, alone }, { id: bookingId }, accountId) =>
      ledger.releaseBooking(alone[0], { bookingId, accountId }),
    ),
    harm: STRANGER,
  },
  {
    guard: 'owner, on more time',
    at: 'bookings/extend-booking.ts',
    cut: { file: 'bookings/extend-booking.ts', text: ` || ${ALONE_OWNER}` },
    story: 'a stranger uses up the extension',
    scenario: byAStranger(({ ledger, alone }, { id: bookingId }, accountId) =>
      ledger.extendBooking(alone[0], { bookingId, accountId }),
    ),
    harm: STRANGER,
  },
  {
    guard: 'owner, on payment in a batch',
    at: BUY,
    cut: { file: BUY, text: ' and account_id = paid."accountId"' },
    story: 'a stranger confirms',
    scenario: confirmByStranger,
    harm: STRANGER,
  },
  {
    guard: 'owner, on payment alone',
    at: CONFIRM,
    cut: { file: CONFIRM, text: ` || ${ALONE_OWNER}` },
    story: 'a stranger confirms',
    scenario: confirmByStranger,
    harm: STRANGER,
  },
  {
    guard: 'owner, on opening a charge in a batch',
    at: 'open-charges.ts',
    cut: { file: 'open-charges.ts', text: 'b.account_id = asked."accountId" and ' },
    story: 'a stranger opens a charge',
    scenario: startByStranger,
    harm: STRANGER,
  },
  {
    guard: 'owner, on opening a charge alone',
    at: 'payments.ts',
    cut: { file: 'payments.ts', text: ` || ${ALONE_OWNER}` },
    story: 'a stranger opens a charge',
    scenario: startByStranger,
    harm: STRANGER,
  },
])
