// Makes the events that pictures of a waiting room are taken of, each in one of its states.
import type { Studio } from './studio.ts'

const MINUTE_MS = 60_000
const ROOM = {
  enabled: true,
  activeMax: 1,
  admitPerMinute: null,
  doorSeconds: 600,
  passSeconds: 600,
  graceSeconds: 300,
  challenge: 'off',
}

export const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString()

export interface SaleOptions {
  name: string
  /** Minutes from now; null = on sale already. */
  onSale?: number | null
  lobby?: number | null
  seatsPerRow?: number
  rows?: number
  location?: string
}

/** A published event with a room; answers its id. */
export async function makeSale({ api, token, demo }: Studio, sale: SaleOptions): Promise<string> {
  const organizer = await token(demo('ORGANIZER'))
  const { onSale = null, lobby = null, seatsPerRow = 30, rows = 12 } = sale
  const event = await api<{ id: string }>('POST', '/event', organizer, {
    name: sale.name,
    location: sale.location ?? 'Grieghallen, Bergen',
    currency: 'EUR',
    timeZone: 'Europe/Oslo',
    startsAt: inMinutes(20_000),
    ...(onSale === null ? {} : { onSaleAt: inMinutes(onSale) }),
  })
  await api('POST', `/event/${event.id}/seats`, organizer, {
    sections: [
      { name: 'Stalls', tier: { name: 'Stalls', price: 8_500 }, rows, seatsPerRow },
      { name: 'Balcony', tier: { name: 'Balcony', price: 4_900 }, rows: Math.ceil(rows / 2), seatsPerRow },
    ],
  })
  await api('PUT', `/event/${event.id}/room`, organizer, {
    ...ROOM,
    lobbyAt: lobby === null ? null : inMinutes(lobby),
  })
  await api('POST', `/event/${event.id}/publish`, organizer)
  return event.id
}

/** This many strangers stand in line, the first of them inside. */
export async function fillLine({ api, buyers }: Studio, eventId: string, count: number): Promise<void> {
  const [first, ...others] = await buyers(count)
  const join = (accessToken: string) => api('POST', `/event/${eventId}/room/join`, accessToken)
  await join(first!.accessToken)
  for (let tries = 0; tries < 50; tries += 1) {
    const me = await api<{ state: string }>('GET', `/event/${eventId}/room/me`, first!.accessToken)
    if (me.state !== 'waiting') break
    await Bun.sleep(200)
  }
  await api('POST', `/event/${eventId}/room/claim`, first!.accessToken)
  for (const { accessToken } of others) await join(accessToken)
}
