// Takes the pictures of the seat map: from afar and near, chosen, held, lost and offered, one seat, none left, 100,000.
import { inMinutes } from './events.ts'
import type { Studio } from './studio.ts'

const HALL = [
  { name: 'Stalls', tier: { name: 'Premium', price: 8_900 }, rows: 14, seatsPerRow: 24, shape: 'arc' },
  { name: 'Circle', tier: { name: 'Standard', price: 6_400 }, rows: 8, seatsPerRow: 28, shape: 'arc' },
  { name: 'Balcony', tier: { name: 'Balcony', price: 3_900 }, rows: 6, seatsPerRow: 22 },
  { name: 'Floor', tier: { name: 'Standing', price: 4_900 }, capacity: 300 },
]
const ARENA = Array.from({ length: 80 }, (_, index) => ({
  name: `Block ${101 + index}`,
  tier: { name: `Category ${(index >> 4) + 1}`, price: 14_900 - 2_500 * (index >> 4) },
  rows: 25,
  seatsPerRow: 50,
  shape: 'arc',
}))
const HOSTILE = [
  { name: '<script>alert(1)</script>', tier: { name: '"><b>x</b>', price: 4_000 }, rows: 4, seatsPerRow: 12 },
  { name: 'אולם מרכזי', tier: { name: 'כרטיס רגיל', price: 6_000 }, rows: 4, seatsPerRow: 14 },
  {
    name: 'W'.repeat(200),
    tier: { name: 'A very long name '.repeat(11), price: 2_000 },
    rows: 4,
    seatsPerRow: 14,
  },
]
const GLIDE_MS = 500

export async function shoot(studio: Studio): Promise<void> {
  const { api, buyers, demo, page, run, token } = studio
  const organizer = await token(demo('ORGANIZER'))
  const sell = async (name: string, sections: object[]) => {
    const { id } = await api<{ id: string }>('POST', '/event', organizer, {
      name,
      location: 'Grieghallen, Bergen',
      currency: 'EUR',
      timeZone: 'Europe/Oslo',
      startsAt: inMinutes(20_000),
    })
    await api('POST', `/event/${id}/seats`, organizer, { sections })
    await api('POST', `/event/${id}/publish`, organizer)
    return id
  }
  const visit = async (eventId: string, language = 'en') => {
    const { accessToken } = (await buyers(1))[0]!
    const visitor = await page({ token: accessToken, language })
    await visitor.goto(`${run.url}/events/${eventId}/seats`)
    await visitor.waitForFunction(() => performance.getEntriesByName('seats:shown').length > 0)
    return visitor
  }

  const hall = await sell('Edvard Grieg: Peer Gynt', HALL)
  for (const language of ['en', 'id']) {
    const whole = await visit(hall, language)
    await studio.shoot(`whole-${language}`, whole)
    await whole.context().close()
  }

  const buyer = await visit(hall)
  const region = buyer.getByRole('region', { name: 'Your choice' })
  await buyer.getByRole('button', { name: /^Stalls/ }).click()
  await buyer.getByRole('gridcell', { name: /^Row C, seat 12, free/ }).click()
  await buyer.waitForTimeout(GLIDE_MS)
  await studio.shoot('chosen', buyer)
  const rival = (await buyers(1))[0]!.accessToken
  await api('POST', '/booking', rival, { seatIds: [`${hall}:${2 * 24 + 11}`] })
  await region
    .getByText(/a moment faster/)
    .first()
    .waitFor()
  await buyer.waitForTimeout(GLIDE_MS)
  await studio.shoot('lost-offered', buyer)
  await buyer.getByRole('button', { name: 'No, thanks' }).click()
  while ((await region.getByRole('button', { name: /^Take out/ }).count()) > 0)
    await region
      .getByRole('button', { name: /^Take out/ })
      .first()
      .click()
  await buyer.getByRole('button', { name: /^Find the best/ }).click()
  await region.getByText('Held for you').waitFor()
  await buyer.waitForTimeout(GLIDE_MS)
  await studio.shoot('held', buyer)
  await buyer.context().close()

  const one = await sell('A single chair', [
    { name: 'Box', tier: { name: 'Only', price: 9_000 }, rows: 1, seatsPerRow: 1 },
  ])
  const chair = await visit(one)
  await studio.shoot('one-seat', chair)
  await api('POST', '/booking', rival, { seatIds: [`${one}:0`] })
  await chair.getByText('Every seat is taken at the moment').waitFor()
  await studio.shoot('sold-out', chair)
  await chair.context().close()

  for (const [name, sections] of [
    ['arena', ARENA],
    ['hostile', HOSTILE],
  ] as const) {
    const visitor = await visit(
      await sell(name === 'arena' ? 'The arena' : '<img src=x> מופע', [...sections]),
    )
    await studio.shoot(name, visitor)
    if (name === 'arena') {
      for (let press = 0; press < 4; press += 1)
        await visitor.getByRole('button', { name: 'Nearer', exact: true }).click()
      await visitor.waitForTimeout(GLIDE_MS)
      await studio.shoot('arena-nearer', visitor)
    }
    await visitor.context().close()
  }
}
