// Owns what is published of a draw: its fields in their one order, and the digest that finds any damage to them.
import { concatBytes, type Hashing } from './draw.ts'

/** What the public beacon said, or (randomness null) that it was not heard in time. */
export interface DrawBeacon {
  url: string
  /** Seconds since 1970 of round 1, and between rounds. */
  genesis: number
  period: number
  /** The first round that came after `after`, when the root was fixed and told. */
  round: number
  after: string
  /** Hex; the SHA-256 of the signature. */
  randomness: string | null
  signature: string | null
}

export interface DrawHeader {
  event: string
  algorithm: string
  /** Hex, all: of 32 bytes. */
  commitment: string
  secret: string
  entrants: number
  /** ISO 8601, to the millisecond. */
  closedAt: string
  root: string
  beacon: DrawBeacon | null
  seed: string
  drawnAt: string
}

export interface DrawDocument extends DrawHeader {
  digest: string
  /** Base64 of 32 bytes a number, by number: the leaves under `root`. */
  leaves: string
}

export const DRAW_FIELDS = [
  'event',
  'algorithm',
  'commitment',
  'secret',
  'entrants',
  'closedAt',
  'root',
  'beacon',
  'seed',
  'drawnAt',
] as const satisfies (keyof DrawHeader)[]
export const BEACON_FIELDS = [
  'url',
  'genesis',
  'period',
  'round',
  'after',
  'randomness',
  'signature',
] as const satisfies (keyof DrawBeacon)[]

/** The beacon's fields in their order. */
export const orderBeacon = (beacon: DrawBeacon): DrawBeacon =>
  Object.fromEntries(BEACON_FIELDS.map((field) => [field, beacon[field]])) as unknown as DrawBeacon

/** The fields before `digest` as one text, in their order. */
const headerText = (header: DrawHeader): string =>
  JSON.stringify(
    Object.fromEntries(
      DRAW_FIELDS.map((field) => [
        field,
        field === 'beacon' ? header.beacon && orderBeacon(header.beacon) : header[field],
      ]),
    ),
  )

/** SHA-256 of the header's text; the leaves are under `root`, which is in it. */
export function* digestOf(header: DrawHeader): Hashing<Uint8Array> {
  return yield concatBytes(new TextEncoder().encode(headerText(header)))
}
