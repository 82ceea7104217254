// A buyer whose connection breaks, whose tab is closed and who opens a second one, in every phase of a sale: the place, the
// turn, the admission and the seats are kept, the page says what is the matter, and then it goes on.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { BrowserContext, Page } from 'playwright'
import { hasBrowser } from '../support/browser.ts'
import { startJourney } from '../support/journey.ts'
import {
  fillInside,
  inMinutes,
  openJourneyRoom,
  type JourneyRoom,
  type RoomBuyer,
  type RoomVisitor,
} from '../support/journey-room.ts'
import { eventually } from '../support/socket-client.ts'
import { openSocketGate, type SocketGate } from '../support/socket-gate.ts'

const JOURNEY_MS = 90_000
const OTHERS = 8
const journey = startJourney()
let gate: SocketGate
beforeAll(async () => {
  if (!hasBrowser) return
  gate = await openSocketGate(journey.run().url)
  gate.shut = false
}, JOURNEY_MS)
afterAll(() => gate?.close())

/** Where a buyer stands when the interruptions begin, and how the page shows that it stands there. */
interface Phase {
  room: JourneyRoom
  buyer: RoomBuyer
  page: Page
  stands: (page: Page) => Promise<unknown>
  /** What the page says while the connection is being made again. */
  lost: string
  /** What must be the same after every interruption. */
  kept: () => Promise<unknown>
  /** The next step of the sale, on a page that was interrupted. */
  goesOn: (page: Page) => Promise<unknown>
}

const seesHeading = (name: string | RegExp) => (page: Page) =>
  page.getByRole('heading', { level: 1, name }).waitFor()
const seesText = (text: string | RegExp) => (page: Page) => page.getByText(text).first().waitFor()
const LOST_IN_THE_ROOM = 'The connection is lost and being made again.'
const LOST_ON_THE_MAP = 'The connection is being made again; the map may be a little behind.'
const MOVED = 'Open in another tab'

const addressOf = ({ eventId }: JourneyRoom, part = 'room') => `${gate.url}/events/${eventId}/${part}`
const placeOf = (buyer: RoomBuyer) => async () => {
  const { state, number, place, claimBefore } = await buyer.me()
  return { state, number, place, claimBefore }
}
async function enter(room: JourneyRoom): Promise<{ room: JourneyRoom; buyer: RoomBuyer; page: Page }> {
  const buyer = await room.buyer(gate.url)
  const page = await buyer.context.newPage()
  await page.goto(addressOf(room))
  return { room, buyer, page }
}

const PHASES: Record<string, () => Promise<Phase>> = {
  'before the lobby opens': async () => {
    const room = await openJourneyRoom(journey, { onSale: 60, lobby: 30 })
    return {
      ...(await enter(room)),
      stands: seesHeading('The line is not open yet'),
      lost: LOST_IN_THE_ROOM,
      kept: async () => null,
      async goesOn(page) {
        await room.set({ lobbyAt: inMinutes(-1) })
        await seesHeading('You are in the lobby')(page)
      },
    }
  },
  'in the lobby': async () => {
    const room = await openJourneyRoom(journey, { onSale: 60, lobby: -1 })
    const entered = await enter(room)
    return {
      ...entered,
      stands: seesHeading('You are in the lobby'),
      lost: LOST_IN_THE_ROOM,
      kept: placeOf(entered.buyer),
      async goesOn(page) {
        await room.manage('POST', '/room/open')
        await seesHeading('It is your turn')(page)
      },
    }
  },
  'after the draw': async () => {
    for (;;) {
      const room = await openJourneyRoom(journey, { onSale: 60, lobby: -1 })
      const others = await room.strangers(OTHERS)
      const entered = await enter(room)
      await seesHeading('You are in the lobby')(entered.page)
      await room.manage('POST', '/room/open')
      const draw = entered.page.getByRole('region', { name: 'The draw' })
      await draw.or(entered.page.getByRole('heading', { name: 'It is your turn' })).waitFor()
      // Nobody else is called once one is inside; whoever was called with it has no line to stand in.
      let first: RoomVisitor | undefined
      const everybody = [...others, entered.buyer]
      await eventually('the first is called', async () => Boolean((first = await calledOf(everybody))))
      await first!.claim()
      if ((await entered.buyer.me()).state !== 'waiting') continue
      return {
        ...entered,
        stands: (page) => page.getByRole('region', { name: 'The draw' }).waitFor(),
        lost: LOST_IN_THE_ROOM,
        kept: placeOf(entered.buyer),
        async goesOn(page) {
          for (const other of others) await other.leave()
          await seesHeading('It is your turn')(page)
        },
      }
    }
  },
  'in line': async () => {
    const room = await openJourneyRoom(journey)
    const inside = await fillInside(room)
    const entered = await enter(room)
    return {
      ...entered,
      stands: seesHeading('You are next'),
      lost: LOST_IN_THE_ROOM,
      kept: placeOf(entered.buyer),
      async goesOn(page) {
        await inside.leave()
        await seesHeading('It is your turn')(page)
      },
    }
  },
  'when called': async () => {
    const entered = await enter(await openJourneyRoom(journey))
    return {
      ...entered,
      stands: seesHeading('It is your turn'),
      lost: LOST_IN_THE_ROOM,
      kept: placeOf(entered.buyer),
      async goesOn(page) {
        await page.getByRole('button', { name: /come in/i }).click()
        await seesText('You may choose for')(page)
      },
    }
  },
  'at the seats': async () => {
    const entered = await enter(await openJourneyRoom(journey))
    await entered.page.getByRole('button', { name: /come in/i }).click()
    await entered.page.waitForURL(/\/seats$/)
    return {
      ...entered,
      stands: seesText('You may choose for'),
      lost: LOST_ON_THE_MAP,
      kept: async () => (await entered.buyer.me()).expiresAt,
      async goesOn(page) {
        await page.getByRole('button', { name: 'Find the best 2 together' }).click()
        await page.getByRole('button', { name: 'Check out', exact: true }).click()
        await page.waitForURL(/\/checkout\//)
      },
    }
  },
}

async function calledOf(everybody: RoomVisitor[]): Promise<RoomVisitor | undefined> {
  for (const one of everybody) if ((await one.me()).state === 'called') return one
  return undefined
}

describe.skipIf(!hasBrowser)('an interruption', () => {
  for (const [name, arrive] of Object.entries(PHASES))
    test(
      `${name} costs nothing: a cut, a closed tab, a second tab`,
      async () => {
        const phase = await arrive()
        const { buyer, stands } = phase
        const faults = faultsOf(buyer.context)
        await stands(phase.page)
        const had = await phase.kept()
        const keepsIt = async () => expect(await phase.kept()).toEqual(had)

        gate.cut = true
        await seesText(phase.lost)(phase.page)
        gate.cut = false
        await phase.page.getByText(phase.lost).waitFor({ state: 'detached' })
        await stands(phase.page)
        await keepsIt()

        const address = phase.page.url()
        await phase.page.reload()
        await stands(phase.page)
        await phase.page.close()
        const page = await buyer.context.newPage()
        await page.goto(address)
        await stands(page)
        await keepsIt()

        const second = await buyer.context.newPage()
        await second.goto(address)
        await stands(second)
        if (had !== null) {
          await seesText(MOVED)(page)
          await page.getByRole('button', { name: 'Watch it here instead' }).click()
          await seesText(MOVED)(second)
        }
        await stands(page)
        await keepsIt()
        await second.close()

        await phase.goesOn(page)
        expect(faults).toEqual([])
        await buyer.context.close()
      },
      JOURNEY_MS,
    )
})

test.skipIf(!hasBrowser)(
  'a payment pressed while nothing is answered goes through once, by itself; another tab and a way back come to the same end',
  async () => {
    const room = await openJourneyRoom(journey, { settings: null })
    const buyer = await room.buyer(gate.url)
    const faults = faultsOf(buyer.context)
    const { id, expiresAt } = await room.hold(buyer.token, [0, 1])
    const address = `${gate.url}/checkout/${id}`
    const other = await buyer.context.newPage()
    await other.goto(address)
    await other.close()
    const page = await buyer.context.newPage()
    await page.goto(addressOf(room, 'seats'))
    await page.goto(address)
    await seesText('Held for you')(page)
    await page.reload()
    const second = await buyer.context.newPage()
    await second.goto(address)
    await seesText('Held for you')(second)
    expect((await room.booking(buyer.token, id)).expiresAt).toBe(expiresAt)

    gate.cut = true
    await page.getByRole('button', { name: /^Pay/ }).dblclick()
    await seesText('Waiting for the bank')(page)
    gate.cut = false
    await page.waitForURL(/\/confirmed$/)
    await second.getByRole('button', { name: /^Pay/ }).click()
    await second.waitForURL(/\/confirmed$/)
    await page.goBack()
    await page.goto(address)
    await page.waitForURL(/\/confirmed$/)
    const { timeline } = await room.booking(buyer.token, id)
    expect(timeline.filter(({ what }) => what === 'payment_captured')).toHaveLength(1)
    expect(faults).toEqual([])
    await buyer.context.close()
  },
  JOURNEY_MS,
)

function faultsOf(context: BrowserContext): string[] {
  const faults: string[] = []
  context.on('weberror', (fault) => faults.push(fault.error().message))
  return faults
}
