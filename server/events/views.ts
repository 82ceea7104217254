// Decides what an event and a seat look like from outside.
import type { Event, EventRow } from '../../db/events.ts'
import type { SeatRow } from '../../db/seats.ts'
import { seatIdOf } from '../bookings/seat-ids.ts'
import type { EventSummary, EventView, SeatView } from '../protocol/http.ts'

type Room = EventSummary['room']

export function eventSummary(event: EventRow, available: number, room: Room): EventSummary {
  return {
    id: event.id,
    name: event.name,
    description: event.description,
    location: event.location,
    startsAt: event.startsAt.toISOString(),
    timeZone: event.timeZone,
    currency: event.currency,
    onSaleAt: event.onSaleAt?.toISOString() ?? null,
    status: event.status,
    rehearsal: event.rehearsal,
    seats: { total: event.seatCount, available },
    room,
  }
}

export function eventView(event: Event, available: number, room: Room, mine: boolean): EventView {
  const tierNames = new Map(event.tiers.map((tier) => [tier.id, tier.name]))
  return {
    ...eventSummary(event, available, room),
    tiers: event.tiers.map(({ name, price }) => ({
      name,
      price: { amount: price, currency: event.currency },
    })),
    sections: event.sections.map(({ name, kind, tierId, seatCount }) => ({
      name,
      kind,
      tier: tierNames.get(tierId) ?? '',
      seats: seatCount,
    })),
    mapVersion: event.mapVersion,
    holdSeconds: event.holdSeconds,
    maxSeatsPerBooking: event.maxSeatsPerBooking,
    maxSeatsPerBuyer: event.maxSeatsPerBuyer,
    mine,
  }
}

export function seatView(event: Pick<EventRow, 'id' | 'currency'>, { price, ...seat }: SeatRow): SeatView {
  return { id: seatIdOf(event.id, seat.n), ...seat, price: { amount: price, currency: event.currency } }
}
