// Takes the pictures of the waiting room: every state somebody can find it in.
import { fillLine, makeSale } from './events.ts'
import type { Studio } from './studio.ts'

const OTHERS = 40

export async function shoot(studio: Studio): Promise<void> {
  const { api, buyers, demo, page, run, token } = studio
  const organizer = await token(demo('ORGANIZER'))
  const room = (eventId: string) => `${run.url}/events/${eventId}/room`
  const control = (eventId: string, move: string, body?: unknown) =>
    api('POST', `/event/${eventId}/room/${move}`, organizer, body)
  const visitor = async (language = 'en') => {
    const { accessToken } = (await buyers(1))[0]!
    return { accessToken, page: await page({ token: accessToken, language }) }
  }

  const before = await makeSale(studio, { name: 'Edvard Grieg: Peer Gynt', onSale: 180, lobby: 90 })
  for (const language of ['en', 'id']) {
    const early = await visitor(language)
    await early.page.goto(room(before))
    await early.page.locator('ol li').first().waitFor()
    await studio.shoot(`before-${language}`, early.page)
    await early.page.context().close()
  }

  const lobby = await makeSale(studio, { name: 'A drawn evening', onSale: 30, lobby: -1 })
  for (const { accessToken } of await buyers(OTHERS))
    await api('POST', `/event/${lobby}/room/join`, accessToken)
  const drawn = await visitor()
  await drawn.page.goto(room(lobby))
  await drawn.page.getByText('How the draw is kept honest').waitFor()
  await studio.shoot('lobby', drawn.page)
  await control(lobby, 'open')
  await drawn.page.getByRole('button', { name: /Check it yourself|Come in/ }).click()
  await drawn.page
    .getByText(/Your place is right|Choose/)
    .first()
    .waitFor()
  await studio.shoot('draw-checked', drawn.page)
  await drawn.page.context().close()

  const line = await makeSale(studio, { name: 'The long line' })
  await fillLine(studio, line, OTHERS)
  for (const language of ['en', 'id']) {
    const waiting = await visitor(language)
    await waiting.page.goto(room(line))
    await waiting.page.locator('aside canvas').first().waitFor()
    await studio.shoot(`line-${language}`, waiting.page)
    await waiting.page.context().close()
  }
  const waiting = await visitor()
  await waiting.page.goto(room(line))
  await waiting.page.locator('aside canvas').first().waitFor()
  await control(line, 'notice', { text: 'The doors of the hall open an hour later than announced.' })
  await control(line, 'pause')
  await waiting.page.getByText('The line stands still for now').waitFor()
  await studio.shoot('paused-notice', waiting.page)
  await control(line, 'resume')
  const second = await page({ token: waiting.accessToken })
  await second.goto(room(line))
  await waiting.page.getByRole('heading', { name: 'Open in another tab' }).waitFor()
  await studio.shoot('another-tab', waiting.page)
  await second.route('**/api/**', (route) => route.fulfill({ status: 503, body: 'gone' }))
  await second.routeWebSocket('**/ws/**', (socket) => socket.close())
  await second.reload()
  await second.getByText('Reconnecting').first().waitFor()
  await studio.shoot('reconnecting', second)
  await waiting.page.context().close()
  await second.context().close()

  const turn = await makeSale(studio, { name: 'It is your turn' })
  const called = await visitor()
  await called.page.goto(room(turn))
  await called.page.getByRole('heading', { name: 'It is your turn' }).waitFor()
  await studio.shoot('turn', called.page)
  await called.page.context().close()

  const long = await makeSale(studio, {
    name: `ليلة الموسيقى <img src=x onerror=alert(1)> ${'Konser '.repeat(20)}`.slice(0, 195),
    location: '<b>Gedung</b> Kesenian',
  })
  await fillLine(studio, long, 3)
  const hostile = await visitor('id')
  await hostile.page.goto(room(long))
  await hostile.page.locator('aside canvas').first().waitFor()
  await studio.shoot('hostile-names', hostile.page)
  await hostile.page.context().close()

  const closed = await makeSale(studio, { name: 'Over' })
  await control(closed, 'close')
  const late = await visitor()
  await late.page.goto(room(closed))
  await late.page.getByRole('heading', { name: 'The sale is over' }).waitFor()
  await studio.shoot('closed', late.page)
  await late.page.context().close()

  const plain = await visitor()
  const bare = await page({ token: plain.accessToken, javaScript: false })
  await bare.goto(room(line))
  await bare.waitForURL(/plain/)
  await studio.shoot('no-javascript', bare)
  await bare.context().close()
}
