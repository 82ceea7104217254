// Lists the screens of choosing, paying, and what comes after: seats, checkout, bookings, tickets, the account.
import type { Page } from 'playwright'
import { m } from '#messages'
import type { Screens, Visit } from './visit.ts'

const NOBODY = '00000000-0000-7000-8000-000000000000'
const mapOf = (visit: Visit, kind: keyof Visit['stage']['events'] = 'shop') =>
  `/events/${visit.stage.events[kind].eventId}/seats`

async function atSeats(visit: Visit): Promise<Page> {
  const page = await visit.page()
  await page.goto(visit.url + mapOf(visit))
  await page.waitForFunction(() => performance.getEntriesByName('seats:shown').length > 0)
  return page
}

/** Two seats of the stalls chosen in the list; answers the first one's index. */
async function chosen(visit: Visit): Promise<{ page: Page; n: number }> {
  const page = await atSeats(visit)
  await page.getByRole('button', { name: /^Stalls/ }).click()
  const free = page.getByRole('gridcell', { name: new RegExp(`\\bA, .*${visit.say(m.seats_state_free)}`) })
  await free.first().click()
  await visit.sees(page, m.seats_hold)
  return { page, n: 0 }
}

async function checkout(visit: Visit): Promise<Page> {
  const { token, booking } = await visit.stage.held()
  return visit.see(await visit.page(token), `/checkout/${booking.id}`, m.checkout_pay_with)
}

export const BUYING: Screens = {
  '/events/:eventId/seats': {
    'whole map': atSeats,
    chosen: async (visit) => (await chosen(visit)).page,
    'lost, and others offered': async (visit) => {
      const { page, n } = await chosen(visit)
      const { token } = await visit.stage.held()
      await visit.stage.call('POST', '/booking', token, {
        seatIds: [`${visit.stage.events.shop.eventId}:${n}`],
      })
      return visit.sees(page, m.seats_take_these)
    },
    held: async (visit) => {
      const page = await atSeats(visit)
      await page.locator('.finder .button.main').click()
      return visit.sees(page, m.seats_held_for_you)
    },
    'looked at from outside the line': async (visit) =>
      visit.see(await visit.page(), mapOf(visit, 'line'), m.seats_look_only),
    'every seat taken': async (visit) =>
      visit.see(await visit.page(), mapOf(visit, 'full'), m.seats_sold_out_title),
  },
  '/checkout/:bookingId': {
    open: checkout,
    declined: async (visit) => visit.sees(await declined(visit), m.checkout_declined),
    'waiting for the bank': async (visit) => {
      const page = await checkout(visit)
      await page.route('**/api/v1/payment/*/confirm', (route) => route.abort())
      await page.locator('form button[type=submit]').click()
      return visit.sees(page, m.checkout_waiting)
    },
    'about to give back': async (visit) => {
      const page = await checkout(visit)
      await visit.press(page, m.checkout_give_back_seats)
      return visit.sees(page, m.checkout_give_back_ask)
    },
    'given back': async (visit) => {
      const { token, booking } = await visit.stage.held()
      await visit.stage.call('DELETE', `/booking/${booking.id}`, token)
      return visit.see(await visit.page(token), `/checkout/${booking.id}`, m.checkout_given_back)
    },
    'the hold has ended': async (visit) => {
      const { token, booking } = await visit.stage.held('hurry')
      return visit.see(await visit.page(token), `/checkout/${booking.id}`, m.checkout_ended)
    },
    unknown: async (visit) => visit.see(await visit.page(), `/checkout/${NOBODY}`, m.error_not_found),
  },
  '/bookings/:bookingId/confirmed': {
    paid: async (visit) => {
      const { token, booking } = await visit.stage.paid()
      const page = await visit.see(
        await visit.page(token),
        `/bookings/${booking.id}/confirmed`,
        m.checkout_yours,
      )
      await page.locator('main summary').click()
      return page
    },
    'not paid': async (visit) => {
      const { token, booking } = await visit.stage.held()
      await visit.stage.call('DELETE', `/booking/${booking.id}`, token)
      return visit.see(await visit.page(token), `/bookings/${booking.id}/confirmed`, m.checkout_not_paid)
    },
  },
  '/bookings': {
    none: async (visit) => visit.see(await visit.page(), '/bookings', m.account_no_bookings),
    'one paid': async (visit) => {
      const page = await visit.see(
        await visit.page((await visit.stage.paid()).token),
        '/bookings',
        m.account_confirmed,
      )
      await page.locator('main summary').click()
      return page
    },
    'one held': async (visit) =>
      visit.see(await visit.page((await visit.stage.held()).token), '/bookings', m.account_pay_now),
  },
  '/tickets': {
    none: async (visit) => visit.see(await visit.page(), '/tickets', m.account_no_tickets),
    some: async (visit) =>
      visit.see(await visit.page((await visit.stage.paid()).token), '/tickets', m.account_show_ticket),
  },
  '/tickets/:ticketId': {
    shown: async (visit) => {
      const page = await visit.see(
        await visit.page((await visit.stage.paid()).token),
        '/tickets',
        m.account_show_ticket,
      )
      await page.locator('main a[href^="/tickets/"]').first().click()
      return visit.sees(page, m.account_ticket_keep)
    },
    unknown: async (visit) => visit.see(await visit.page(), `/tickets/${NOBODY}`, m.account_ticket_unknown),
  },
  '/account': {
    shown: async (visit) => visit.seeAll(await visit.page(), '/account'),
    'about to be erased': async (visit) => {
      const page = await visit.seeAll(await visit.page(), '/account')
      await visit.press(page, m.account_erase)
      return visit.sees(page, m.account_erase_ask)
    },
  },
}

async function declined(visit: Visit): Promise<Page> {
  const page = await checkout(visit)
  await page.locator('input[value=sandbox_declined]').check()
  await page.locator('form button[type=submit]').click()
  return page
}
