// Takes the pictures of the way to a published event: the steps, what is said when they are wrong, the hall, the checklist.
import type { Page } from 'playwright'
import type { Studio } from './studio.ts'

const LANGUAGES = ['en', 'id'] as const
const DAY_MS = 86_400_000
const LONG = 'W'.repeat(300)

export async function shoot(studio: Studio): Promise<void> {
  for (const language of LANGUAGES) await shootIn(studio, language)
}

async function shootIn(studio: Studio, language: (typeof LANGUAGES)[number]): Promise<void> {
  const { api, demo, run, token } = studio
  const organizer = await token(demo('ORGANIZER'))
  const page = await studio.page({ account: demo('ORGANIZER'), language })
  const picture = (name: string) => studio.shoot(`${name}-${language}`, page)
  const go = async (path: string) => {
    await page.goto(run.url + path)
    await page.waitForLoadState('networkidle')
  }
  const send = () => page.locator('main form button[type=submit]').first().click()

  await go('/organise/new')
  await page.locator('[name=name]').fill(LONG)
  await send()
  await picture('what-wrong')
  await page.locator('[name=name]').fill('Malam Angklung & Strings')
  await page.locator('[name=location]').fill('Gedung Kesenian, Jakarta')
  await picture('what')
  await send()
  await page.waitForURL(/when$/)
  await send()
  await picture('when-wrong')
  await page.locator('[name=startsAt]').fill(new Date(Date.now() + 40 * DAY_MS).toISOString().slice(0, 16))
  await send()
  await page.waitForURL(/[0-9a-f]\/seats$/)
  await page.waitForLoadState('networkidle')
  await picture('seats-none')
  const eventId = new URL(page.url()).pathname.split('/')[2]!
  await go(`/organise/${eventId}`)
  await picture('check-nothing')

  await api('POST', `/event/${eventId}/seats`, organizer, {
    sections: [
      { name: 'Stalls', tier: { name: 'Standard', price: 4_500 }, rows: 12, seatsPerRow: 30, shape: 'arc' },
      { name: 'Circle', tier: { name: 'Balcony', price: 3_000 }, rows: 6, seatsPerRow: 44, shape: 'arc' },
      { name: 'Standing', tier: { name: 'Floor', price: 0 }, capacity: 200 },
    ],
  })
  await go(`/organise/${eventId}/seats`)
  await picture('seats')
  await changeCircle(page)
  await picture('seats-change')
  await go(`/organise/${eventId}`)
  await picture('check')
  await api('POST', `/event/${eventId}/publish`, organizer)
  for (const [part, name] of [
    ['', 'published'],
    ['/details', 'published-details'],
    ['/seats', 'published-seats'],
  ] as const) {
    await go(`/organise/${eventId}${part}`)
    await picture(name)
  }
  await go('/organise')
  await picture('mine')
  await page.context().close()
}

/** With names of its own for the rows, and two mistakes. */
async function changeCircle(page: Page): Promise<void> {
  await page.locator('main li', { hasText: 'Circle' }).getByRole('button').first().click()
  await page.locator('[name=rowNames]').selectOption('own')
  await page.locator('[name=ownRows]').fill('AA, BB, CC, AA')
  await page.locator('[name=seatsPerRow]').fill('0')
  await page.locator('main form button[type=submit]').first().click()
}
