// Takes the pictures of the way in: the events, one event, and the screens of an account's beginning.
import { makeSale } from './events.ts'
import type { Studio } from './studio.ts'

export async function shoot(studio: Studio): Promise<void> {
  const { demo, page, run } = studio
  const soon = await makeSale(studio, { name: 'A drawn evening', onSale: 30, lobby: -1 })
  for (const language of ['en', 'id']) {
    const visitor = await page({ language })
    for (const [name, path] of [
      ['events', '/'],
      ['event-on-sale', `/events/${run.demo!.eventId}`],
      ['event-lobby', `/events/${soon}`],
      ['login', '/login'],
      ['register', '/register'],
      ['forgot', '/forgot'],
      ['verify-dead', '/verify'],
      ['nothing', '/nowhere'],
    ] as const) {
      await visitor.goto(run.url + path)
      await visitor.locator('h1').first().waitFor()
      await studio.shoot(`${name}-${language}`, visitor)
    }
    await visitor.context().close()
  }
  const member = await page({ account: demo('USER') })
  await member.goto(run.url)
  await member.locator('h2').first().waitFor()
  await member.getByRole('button', { name: 'Menu' }).click()
  await studio.shoot('signed-in-menu', member)
  await member.context().close()
}
