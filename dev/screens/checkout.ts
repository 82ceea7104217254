// Takes the pictures from the held seats to the ticket: every fate of a payment, and what is kept afterwards.
import type { Page } from 'playwright'
import { inMinutes } from './events.ts'
import type { Studio } from './studio.ts'

const HOLD_SECONDS = 600
/** The shortest a hold can be, so that its end is met. */
const SHORT_HOLD_SECONDS = 5

export async function shoot(studio: Studio): Promise<void> {
  const { api, buyers, demo, page, run, token } = studio
  const organizer = await token(demo('ORGANIZER'))
  const sell = async (name: string, holdSeconds: number) => {
    const { id } = await api<{ id: string }>('POST', '/event', organizer, {
      name,
      location: 'Grieghallen, Bergen',
      currency: 'EUR',
      timeZone: 'Europe/Oslo',
      startsAt: inMinutes(20_000),
      holdSeconds,
    })
    await api('POST', `/event/${id}/seats`, organizer, {
      sections: [{ name: 'Stalls', tier: { name: 'Premium', price: 8_900 }, rows: 6, seatsPerRow: 12 }],
    })
    await api('POST', `/event/${id}/publish`, organizer)
    return id
  }
  const eventId = await sell('Edvard Grieg: Peer Gynt', HOLD_SECONDS)
  let nextSeat = 0
  const holding = async (language = 'en', event = eventId) => {
    const { accessToken } = (await buyers(1))[0]!
    const seatIds = [nextSeat++, nextSeat++].map((n) => `${event}:${n}`)
    const booking = await api<{ id: string }>('POST', '/booking', accessToken, { seatIds })
    const buyer = await page({ token: accessToken, language })
    await buyer.goto(`${run.url}/checkout/${booking.id}`)
    return { buyer, accessToken }
  }
  for (const language of ['en', 'id']) {
    const { buyer, accessToken } = await holding(language)
    await buyer.getByRole('button', { name: /^(Pay|Bayar)/ }).waitFor()
    await studio.shoot(`checkout-${language}`, buyer)
    await pay(buyer, /Card that works|Kartu yang berhasil/)
    await buyer.waitForURL(/\/confirmed$/)
    await buyer.locator('h1').first().waitFor()
    await studio.shoot(`confirmed-${language}`, buyer)
    for (const [name, path] of [
      ['bookings', '/bookings'],
      ['tickets', '/tickets'],
      ['account', '/account'],
    ] as const) {
      await buyer.goto(run.url + path)
      await buyer.waitForLoadState('networkidle')
      await studio.shoot(`${name}-${language}`, buyer)
    }
    const tickets = await api<{ items: { id: string }[] }>('GET', '/ticket/mine', accessToken)
    await buyer.goto(`${run.url}/tickets/${tickets.items[0]!.id}`)
    await buyer.getByRole('img', { name: /:/ }).first().waitFor()
    await studio.shoot(`ticket-${language}`, buyer)
    await buyer.context().close()
  }

  const { buyer } = await holding()
  await pay(buyer, /declined/)
  await buyer.getByText('The payment was declined').waitFor()
  await studio.shoot('declined', buyer)
  await buyer.getByRole('button', { name: 'Give the seats back' }).click()
  await buyer.getByRole('dialog').waitFor()
  await studio.shoot('give-back-ask', buyer)
  await buyer.getByRole('button', { name: 'Give back', exact: true }).click()
  await buyer.getByText('Somebody else may take them now').waitFor()
  await studio.shoot('given-back', buyer)
  await buyer.context().close()

  const lost = await holding()
  await pay(lost.buyer, /gets lost/)
  await lost.buyer.getByText('Waiting for the bank').first().waitFor()
  await studio.shoot('settling', lost.buyer)
  await lost.buyer.context().close()

  nextSeat = 0
  const brief = await holding('en', await sell('A short hold', SHORT_HOLD_SECONDS))
  await brief.buyer
    .getByRole('link', { name: /Choose/ })
    .first()
    .waitFor()
  await studio.shoot('expired', brief.buyer)
  await brief.buyer.context().close()
}

async function pay(buyer: Page, card: RegExp) {
  await buyer.getByLabel(card).check()
  await buyer.getByRole('button', { name: /^(Pay|Bayar)/ }).click()
}
