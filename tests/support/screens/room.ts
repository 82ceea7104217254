// Lists every state somebody can find the waiting room in, with JavaScript and without.
import type { Page } from 'playwright'
import { m } from '#messages'
import type { JourneyRoom } from '../journey-room.ts'
import type { Message, Screen, Screens, Visit } from './visit.ts'

const pathOf = ({ eventId }: JourneyRoom) => `/events/${eventId}/room`
type Kind = keyof Visit['stage']['events']

/** A new buyer in the room of this kind. */
const roomIs =
  (kind: Kind, message: Message): Screen =>
  async (visit) =>
    visit.see(await visit.page(), pathOf(visit.stage.events[kind]), message)

/** A place that a draw has given; the first one is called at once, and then another draw is made. */
async function drawn(visit: Visit): Promise<Page> {
  for (;;) {
    const room = await visit.stage.another('lobby')
    await room.strangers(8)
    const page = await visit.see(await visit.page(), pathOf(room), m.room_lobby)
    await room.manage('POST', '/room/open')
    const check = page.getByRole('button', { name: visit.say(m.room_check_it) })
    await check.or(page.getByRole('heading', { name: visit.say(m.room_turn) })).waitFor()
    if (!(await check.isVisible())) continue
    await check.click()
    return visit.sees(page, m.room_right)
  }
}

async function inLine(visit: Visit): Promise<Page> {
  const page = await visit.see(await visit.page(), pathOf(visit.stage.events.line), m.room_moves)
  await visit.sees(page, m.room_meanwhile)
  return page
}

async function turn(visit: Visit): Promise<Page> {
  return visit.see(await visit.page(), pathOf(visit.stage.events.quick), m.room_turn)
}

/** The page for whoever has no JavaScript, seen by a browser that has it so that it can be examined; then presses buttons. */
const plainIs =
  (kind: Kind, message: Message, ...moves: string[]): Screen =>
  async (visit) => {
    const page = await visit.page()
    await page.goto(`${visit.url}${pathOf(visit.stage.events[kind])}?plain`)
    for (const move of moves) await page.locator(`button[value=${move}]`).click()
    return visit.sees(page, message)
  }

export const ROOM: Screens = {
  '/events/:eventId/room': {
    'before the lobby': roomIs('scheduled', m.room_happens),
    'in the lobby': roomIs('lobby', m.room_no_advantage),
    'drawn, and checked': drawn,
    'in line': inLine,
    'about to leave': async (visit) => {
      const page = await inLine(visit)
      await visit.press(page, m.room_leave)
      return visit.sees(page, m.room_leave_sure)
    },
    left: async (visit) => {
      const page = await inLine(visit)
      const eventId = visit.stage.events.line.eventId
      await page.evaluate((id) => fetch(`/api/v1/event/${id}/room/leave`, { method: 'POST' }), eventId)
      return visit.sees(page, m.room_left)
    },
    'paused, with a notice': async (visit) =>
      visit.sees(await roomIs('paused', m.room_paused)(visit), m.room_to_everyone),
    'every seat taken': roomIs('taken', m.room_taken),
    called: turn,
    'about to step back': async (visit) => {
      const page = await turn(visit)
      await visit.press(page, m.room_five_minutes)
      return visit.sees(page, m.room_step_back)
    },
    'in another tab': async (visit) => {
      const page = await inLine(visit)
      await (await page.context().newPage()).goto(page.url())
      return visit.sees(page, m.room_replaced)
    },
    reconnecting: async (visit) => {
      const page = await inLine(visit)
      await page.route('**/api/**', (route) => route.abort())
      await page.routeWebSocket('**/ws/**', (socket) => socket.close())
      await page.reload()
      return visit.sees(page, m.room_reconnecting)
    },
    closed: roomIs('closed', m.room_closed),
    'without JavaScript, not signed in': async (visit) => {
      const page = await visit.page('visitor')
      await page.goto(`${visit.url}${pathOf(visit.stage.events.line)}?plain`)
      return visit.sees(page, m.plain_sign_in)
    },
    'without JavaScript, outside': plainIs('line', m.plain_outside),
    'without JavaScript, in line': plainIs('paused', m.plain_paused, 'join'),
    'without JavaScript, called': async (visit) => {
      const page = await plainIs('quick', m.plain_no_script, 'join')(visit)
      // It asks again by itself.
      return visit.sees(page, m.plain_turn)
    },
  },
}
