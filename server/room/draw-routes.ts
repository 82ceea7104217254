// Owns the draw over HTTP: everything that proves it, to anyone; and to an entrant, the proof of being on the list.
import { Elysia } from 'elysia'
import { findDraw, readDrawLeaves, type DrawRecord } from '../../db/draws.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { digestOf, orderBeacon, type DrawHeader } from '../protocol/draw-document.ts'
import { DRAW_ALGORITHM, expandDraw, hashNow, placesOf, toHex } from '../protocol/draw.ts'
import { DrawProofQuery, DrawProofView, DrawView } from '../protocol/http.ts'
import { leafBytes } from '../protocol/merkle.ts'
import { commitmentText, sha256 } from './draw.ts'
import { isEventId, lookAtRoom } from './look.ts'

/** A multiple of three, so that the base64 of each part ends where the next begins. */
const LEAVES_PER_PART = 30_000
/** A draw never changes once it is published. */
const CACHE = 'public, max-age=31536000, immutable'

/** Throws `not_found` until places are drawn. */
async function publishedDraw(context: Context, eventId: string): Promise<DrawRecord> {
  await lookAtRoom(context, eventId)
  const record = isEventId(eventId) ? await findDraw(context.ledger.db, eventId) : null
  if (record?.seed) return record
  throw new Refusal('not_found', {
    message:
      record?.entrants === 0
        ? 'This line is first come, first served: there was no draw.'
        : 'Places have not been drawn.',
  })
}

function headerOf(record: DrawRecord): DrawHeader & { digest: string } {
  const header: DrawHeader = {
    event: record.eventId,
    algorithm: DRAW_ALGORITHM,
    commitment: commitmentText(record),
    secret: toHex(record.secret),
    entrants: record.entrants!,
    closedAt: record.closedAt!.toISOString(),
    root: toHex(record.root!),
    beacon: record.beacon && orderBeacon(record.beacon),
    seed: toHex(record.seed!),
    drawnAt: record.drawnAt!.toISOString(),
  }
  return { ...header, digest: toHex(hashNow(digestOf(header), sha256)) }
}

export const drawRoutes = (context: Context) =>
  new Elysia({ prefix: '/event/:eventId/room/draw' })
    .use(accessPlugin(context))
    .get(
      '/',
      async ({ params, request }) => {
        const record = await publishedDraw(context, params.eventId)
        const header = headerOf(record)
        const headers = { etag: `"${header.digest}"`, 'cache-control': CACHE }
        if (request.headers.get('if-none-match') === headers.etag)
          return new Response(null, { status: 304, headers })
        return new Response(streamDraw(context, header), {
          headers: { ...headers, 'content-type': 'application/json' },
        })
      },
      {
        detail: describe({
          summary: 'Everything that proves the draw',
          description:
            'Answers `not_found` until places are drawn, and always where nobody was in the lobby. Save the answer as it is and check it offline with `npm run verify-draw FILE`. Never changes: cache it for good.',
          tag: 'Room',
          access: 'anyone',
          success: { status: 200, data: DrawView, description: 'The draw.' },
          codes: ['not_found'],
        }),
      },
    )
    .get(
      '/proof',
      async ({ params, query, identity: { accountId } }) => {
        const { eventId } = params
        const record = await publishedDraw(context, eventId)
        const number = query.number ?? (await context.room.entrant(eventId, accountId)).number
        const { draws } = context.room
        if (
          number === null ||
          number >= record.entrants! ||
          !(await draws.isListed(eventId, number, accountId))
        )
          throw new Refusal('not_found', { message: 'You are not on the list that was drawn.' })
        const placeOf = placesOf(hashNow(expandDraw(record.seed!, record.entrants!), sha256))
        return reply(200, 'You are on the list', {
          number,
          accountId,
          place: placeOf(number),
          leaf: toHex(sha256(leafBytes(number, accountId))),
          path: (await draws.proof(record, number)).map(toHex),
          draw: headerOf(record),
        })
      },
      {
        query: DrawProofQuery,
        access: 'user',
        detail: describe({
          summary: 'The proof that you are on the drawn list',
          description:
            'The nodes beside the way from your leaf to the published root. Without `number`, the one you have in the line now.',
          tag: 'Room',
          access: 'user',
          success: {
            status: 200,
            data: DrawProofView,
            description: 'Your number, your place, the way to the root.',
          },
          codes: ['not_found'],
        }),
      },
    )

/** The envelope of every answer, its leaves read and written part by part: a million are 43 MB. */
function streamDraw(
  { ledger }: Context,
  header: DrawHeader & { digest: string },
): ReadableStream<Uint8Array> {
  const text = new TextEncoder()
  let at = -1
  return new ReadableStream({
    async pull(controller) {
      if (at < 0) {
        const opening = JSON.stringify(reply(200, 'The draw', header))
        // Up to the two braces that close the data and the envelope.
        controller.enqueue(text.encode(`${opening.slice(0, -2)},"leaves":"`))
        at = 0
        return
      }
      const to = Math.min(header.entrants, at + LEAVES_PER_PART)
      const part = await readDrawLeaves(ledger.db, header.event, at, to)
      controller.enqueue(text.encode(Buffer.from(part).toString('base64')))
      at = to
      if (at < header.entrants) return
      controller.enqueue(text.encode('"}}'))
      controller.close()
    },
  })
}
