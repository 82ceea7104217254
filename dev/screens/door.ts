// Takes the pictures of the door: asked which, ready, and what each kind of ticket is answered, in both languages.
import type { Studio } from './studio.ts'

const SEATS = [0, 1]
/** A scanner's double press is taken for one within this. */
const NEXT_PRESS_MS = 1_700

export async function shoot(studio: Studio): Promise<void> {
  const { api, demo, page, run, token, buyers } = studio
  const organizer = await token(demo('ORGANIZER'))
  const event = { name: 'The long night', location: 'Old hall', timeZone: 'Asia/Jakarta', currency: 'EUR' }
  const startsAt = new Date(Date.now() + 3_600_000).toISOString()
  const { id: eventId } = await api<{ id: string }>('POST', '/event', organizer, { ...event, startsAt })
  const sections = [{ name: 'Stalls', tier: { name: 'Standard', price: 2_500 }, rows: 4, seatsPerRow: 10 }]
  await api('POST', `/event/${eventId}/seats`, organizer, { sections })
  await api('POST', `/event/${eventId}/publish`, organizer)
  const [buyer] = await buyers(1)
  const seatIds = SEATS.map((n) => `${eventId}:${n}`)
  const { id } = await api<{ id: string }>('POST', '/booking', buyer!.accessToken, { seatIds })
  await api('POST', `/payment/${id}/confirm`, buyer!.accessToken, { method: 'sandbox_ok' })
  const { items } = await api<{ items: { code: string }[] }>('GET', '/ticket/mine', buyer!.accessToken)

  for (const [index, language] of ['en', 'id'].entries()) {
    const door = await page({ account: demo('ORGANIZER'), language })
    await door.goto(`${run.url}/door?event=${eventId}`)
    await door.getByLabel(/^(Event|Acara)$/).waitFor()
    await studio.shoot(`which-${language}`, door)
    await door.locator('input[name=gate]').fill('North')
    await door.locator('form button[type=submit]').click()
    await door.locator('input[name=code]').waitFor()
    await studio.shoot(`ready-${language}`, door)
    const answers = [
      [items[index]!.code, 'admitted'],
      [items[index]!.code, 'already_used'],
      ['made-up', 'invalid'],
    ] as const
    for (const [code, kind] of answers) {
      await door.waitForTimeout(NEXT_PRESS_MS)
      await door.locator('input[name=code]').fill(code)
      await door.keyboard.press('Enter')
      await door.locator(`.answer.${kind}`).waitFor()
      await studio.shoot(`${kind}-${language}`, door)
    }
    await door.context().setOffline(true)
    await door.locator('input[name=code]').fill('no-network')
    await door.keyboard.press('Enter')
    await door.locator('.answer.unanswered').waitFor()
    await studio.shoot(`no-network-${language}`, door)
    await door.context().close()
  }
}
