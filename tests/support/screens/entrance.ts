// Lists the screens before a sale: the events, one event in each state, an account's beginning, and what is not there.
import { m } from '#messages'
import type { Screens, Visit } from './visit.ts'

const NOBODY = '/events/00000000-0000-7000-8000-000000000000'
const refuseAll = { status: 503, json: { statusCode: 503, message: 'no', error: '', code: 'overloaded' } }

const eventIs = (kind: Parameters<Visit['stage']['another']>[0], who?: 'visitor') => async (visit: Visit) =>
  visit.seeAll(await visit.page(who), `/events/${visit.stage.events[kind].eventId}`)

async function fill(visit: Visit, path: string, fields: Record<string, string>) {
  const page = await visit.seeAll(await visit.page('visitor'), path)
  for (const [type, value] of Object.entries(fields))
    await page.locator(`form input[type=${type}]`).first().fill(value)
  await page.locator('form button[type=submit]').click()
  return page
}

export const ENTRANCE: Screens = {
  '/': {
    visitor: async (visit) => visit.seeAll(await visit.page('visitor'), '/'),
    'signed in, menu open': async (visit) => {
      const page = await visit.seeAll(await visit.page(visit.stage.admin), '/')
      const toggle = page.locator('header button.toggle')
      // A desk has room for the whole menu.
      if (await toggle.isVisible()) await toggle.click()
      return page
    },
    'nothing on sale': async (visit) => {
      const page = await visit.page('visitor')
      await page.route(/\/api\/v1\/event(\?|$)/, async (route) => {
        const answer = await route.fetch()
        const said = (await answer.json()) as { data: object }
        await route.fulfill({ response: answer, json: { ...said, data: { items: [], nextCursor: null } } })
      })
      return visit.see(page, '/', m.event_none)
    },
    'nobody answers': async (visit) => {
      const page = await visit.page('visitor')
      await page.route('**/api/v1/**', (route) => route.fulfill(refuseAll))
      return visit.see(page, '/', m.error_overloaded)
    },
  },
  '/events/:eventId': {
    'soon, without a room': eventIs('soon', 'visitor'),
    'soon, with a lobby': eventIs('scheduled', 'visitor'),
    'the lobby is open': eventIs('lobby'),
    'on sale': eventIs('line', 'visitor'),
    'paused, with a notice': eventIs('paused'),
    'sold out': eventIs('full'),
    closed: eventIs('closed'),
    cancelled: eventIs('cancelled'),
    'a draft, seen by its organiser': async (visit) =>
      visit.seeAll(await visit.page(visit.stage.organizer), `/events/${visit.stage.events.draft.eventId}`),
    unknown: async (visit) => visit.see(await visit.page('visitor'), NOBODY, m.error_not_found),
  },
  '/events/:eventId/invitation': {
    none: async (visit) =>
      visit.see(
        await visit.page('visitor'),
        `/events/${visit.stage.events.line.eventId}/invitation`,
        m.account_invited_none,
      ),
    'before signing in': async (visit) =>
      visit.see(
        await visit.page('visitor'),
        `/events/${visit.stage.events.line.eventId}/invitation#an-invitation`,
        m.account_invited,
      ),
    refused: async (visit) => {
      const page = await visit.page()
      await visit.see(
        page,
        `/events/${visit.stage.events.line.eventId}/invitation#an-invitation`,
        m.account_invited,
      )
      await visit.press(page, m.account_invited_use)
      await page.getByRole('alert').first().waitFor()
      return page
    },
  },
  '/login': {
    asked: async (visit) => visit.seeAll(await visit.page('visitor'), '/login?next=/account'),
    'wrong password': async (visit) =>
      visit.sees(
        await fill(visit, '/login', { email: 'nobody@example.org', password: 'not the password' }),
        m.auth_wrong,
      ),
  },
  '/register': {
    asked: async (visit) => visit.seeAll(await visit.page('visitor'), '/register'),
    refused: async (visit) => {
      const page = await fill(visit, '/register', {
        text: 'Ada',
        email: 'nobody@example.org',
        password: 'short',
      })
      await page.locator(':invalid, [aria-invalid=true]').first().waitFor()
      return page
    },
    sent: async (visit) => {
      const email = `${Bun.randomUUIDv7()}@example.org`
      const fields = { text: 'Ada Buyer', email, password: 'a long enough secret' }
      return visit.sees(await fill(visit, '/register', fields), m.auth_check_mail)
    },
  },
  '/verify': {
    'with a link': async (visit) =>
      visit.see(
        await visit.page('visitor'),
        '/verify?token=some&email=ada%40example.org',
        m.auth_confirm_title,
      ),
    'with a dead link': async (visit) => visit.see(await visit.page('visitor'), '/verify', m.auth_dead_link),
  },
  '/forgot': {
    asked: async (visit) => visit.seeAll(await visit.page('visitor'), '/forgot'),
    sent: async (visit) =>
      visit.sees(await fill(visit, '/forgot', { email: 'nobody@example.org' }), m.auth_check_mail),
  },
  '/reset': {
    asked: async (visit) =>
      visit.seeAll(await visit.page('visitor'), '/reset?token=some&email=ada%40example.org'),
    'with a dead link': async (visit) =>
      visit.sees(
        await fill(visit, '/reset?token=some&email=ada%40example.org', { password: 'a long enough secret' }),
        m.auth_dead_link,
      ),
  },
  '*': {
    'nothing there': async (visit) => visit.see(await visit.page('visitor'), '/nowhere', m.shell_nothing),
  },
}
