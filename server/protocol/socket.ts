// Owns the socket's language: the closed unions of frames each side may send (contract section 4).
//
// One source: the types, the checks of what comes in, the AsyncAPI document and the tests are all made from these.
import Type from 'typebox'
import { CHALLENGES, ENDED_REASONS, ERROR_CODES, ROOM_PHASES } from './codes.ts'

const TICKET_MAX = 1_024
const TOKEN_MAX = 2_048

const clientFrame = <T extends Type.TProperties>(properties: T, description: string) =>
  Type.Object(properties, { additionalProperties: false, description })
/** Open to fields to come: a client passes over what it does not know. */
const serverFrame = <T extends Type.TProperties>(properties: T, description: string) =>
  Type.Object(properties, { description })
const nullable = <T extends Type.TSchema>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description })

const Instant = (description: string) => Type.String({ format: 'date-time', description })
const Count = (description: string) => Type.Integer({ minimum: 0, description })
const Text = (description: string) => Type.String({ description })
/** Two numbers between which the true one probably lies. */
const Range = (description: string) =>
  nullable(Type.Tuple([Type.Number({ minimum: 0 }), Type.Number({ minimum: 0 })]), description)

// ── Client → server ──────────────────────────────────────────────────────────────────────────────────────────────

export const CLIENT_FRAMES = {
  hello: clientFrame(
    {
      type: Type.Literal('hello'),
      token: Type.Optional(
        Type.String({
          maxLength: TOKEN_MAX,
          description: 'The access token, where no cookie or header told it',
        }),
      ),
    },
    'Says who we are; answered with `room` and `line`. Without any other proof, send it within 5 s.',
  ),
  join: clientFrame(
    {
      type: Type.Literal('join'),
      ticket: Type.Optional(
        Type.String({ maxLength: TICKET_MAX, description: 'The ticket of an earlier `joined`' }),
      ),
    },
    'Enters the line, or comes back to the place we have. Joining twice is the same place.',
  ),
  claim: clientFrame({ type: Type.Literal('claim') }, 'Takes our turn.'),
  leave: clientFrame({ type: Type.Literal('leave') }, 'Gives our place, our turn or our admission up.'),
  defer: clientFrame(
    { type: Type.Literal('defer') },
    'Once, when called: steps back a stated number of places and frees the turn at once.',
  ),
  watch: clientFrame(
    {
      type: Type.Literal('watch'),
      version: Type.Optional(Type.Integer({ minimum: 0, description: 'Of the `availability` we have' })),
    },
    'Streams what changes of the seats, from that version on. Anyone may.',
  ),
  unwatch: clientFrame({ type: Type.Literal('unwatch') }, 'Ends `watch`.'),
} as const
export type ClientFrame = {
  [K in keyof typeof CLIENT_FRAMES]: Type.Static<(typeof CLIENT_FRAMES)[K]>
}[keyof typeof CLIENT_FRAMES]
export const ClientFrame = Type.Union(Object.values(CLIENT_FRAMES))

// ── Server → client ──────────────────────────────────────────────────────────────────────────────────────────────

export const RoomFrame = serverFrame(
  {
    type: Type.Literal('room'),
    phase: Type.Enum(ROOM_PHASES),
    lobbyAt: nullable(Instant('From when on people may join'), 'Null: with the sale'),
    onSaleAt: nullable(Instant('When the line begins to move by itself'), 'Null: at once'),
    commitment: nullable(Text('Hash of the secret and the algorithm of the draw'), 'Null without a room'),
    root: Type.Optional(
      Text('Merkle root of the lobby’s closed list, hex; told before its seed can be known'),
    ),
    doorSeconds: Count('Time to claim a turn; 0 admits without a claim'),
    passSeconds: Count('How long an admission lasts'),
    epoch: Count('Rises when the line was rebuilt; tickets of earlier epochs still prove their place'),
    serverTime: Instant('The server’s clock, for countdowns'),
    message: Type.Optional(Text('The latest notice, for whoever came after it')),
    comeBackMs: Type.Optional(Count('After a lost connection, come back within so long, at random')),
    priorityShare: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description: 'Of every hundred admissions, at most so many go to priority',
      }),
    ),
    challenge: Type.Optional(
      Type.Enum(CHALLENGES, { description: 'Absent or off: nothing to solve. See GET …/room/challenge' }),
    ),
  },
  'The room: after the upgrade, after `hello`, and on every change.',
)
export type RoomFrame = Type.Static<typeof RoomFrame>

export const JoinedFrame = serverFrame(
  {
    type: Type.Literal('joined'),
    number: Count('Arrival index, from 0; never given twice'),
    place: nullable(Count('Position in the line, from 0'), 'Null before the draw'),
    ticket: Text('Signed proof of the place: keep it, and send it with the next `join`'),
    epoch: Count('The epoch of the number'),
    deferred: Type.Optional(Type.Literal(true, { description: 'Has stepped back, so cannot again' })),
    priority: Type.Optional(Type.Literal(true, { description: 'Enters by the separate share for priority' })),
  },
  'We have a place: the answer to `join`, and again when it moved.',
)
export type JoinedFrame = Type.Static<typeof JoinedFrame>

export const DrawFrame = serverFrame(
  {
    type: Type.Literal('draw'),
    seed: Text('Hex'),
    entrants: Count('How many numbers were drawn'),
    root: Text('Merkle root of the closed list, hex'),
    algorithm: Text('Names the permutation'),
  },
  'Once, to all, when places are drawn: place = permutation(seed, number, entrants).',
)
export type DrawFrame = Type.Static<typeof DrawFrame>

export const LineFrame = serverFrame(
  {
    type: Type.Literal('line'),
    serving: Count('All places below it have been called'),
    waiting: Count('How many wait in all'),
    perMinute: Count('Passes issued in the last 60 s'),
    gone: Type.Array(Type.Tuple([Count('First place of the bucket'), Count('Entrants in it who left')]), {
      description:
        'Ascending; a bucket reaches to the first place of the next, at most 96 of them. People ahead = place − serving − gone between, right to 2 % or one person.',
    }),
    seatsLeft: Count('Free seats'),
    at: Instant('When this was true'),
    flow: Type.Optional(
      Range('People let through a minute, 10–90 % for the long run; null while nobody can say'),
    ),
    leaving: Type.Optional(
      Type.Number({ description: 'Of those waiting, the share that gives up in a minute' }),
    ),
    step: Type.Optional(Type.Number({ description: 'How many are called at once, as a rule' })),
    reach: Type.Optional(
      Range(
        'The seats left serve the places below the first number nine times in ten, those below the second one in ten; null while unknown or when they serve everybody',
      ),
    ),
  },
  'How far the line has come: often near the front, seldom far from it. A slow reader loses some; the next heals it.',
)
export type LineFrame = Type.Static<typeof LineFrame>

export const TurnFrame = serverFrame(
  {
    type: Type.Literal('turn'),
    claimBefore: Instant('When the turn goes to the next person'),
    claimed: Type.Optional(
      Type.Literal(true, { description: 'We have claimed: `admitted` follows as soon as a pass is free' }),
    ),
  },
  'It is our turn: `claim` before then, or `defer` once.',
)
export type TurnFrame = Type.Static<typeof TurnFrame>

export const AdmittedFrame = serverFrame(
  {
    type: Type.Literal('admitted'),
    pass: Text('Goes into the header X-Admission-Pass'),
    expiresAt: Instant('When the pass ends'),
  },
  'We may book.',
)
export type AdmittedFrame = Type.Static<typeof AdmittedFrame>

export const SeatsFrame = serverFrame(
  {
    type: Type.Literal('seats'),
    version: Count('Of the availability after these changes'),
    changes: Type.Array(
      Type.Tuple([
        Count('n of the seat'),
        Type.Integer({ minimum: 0, maximum: 3, description: 'As in `availability`' }),
      ]),
      { description: '0 AVAILABLE, 1 RESERVED, 2 SOLD, 3 BLOCKED' },
    ),
  },
  'What changed of the seats, gathered over some 100 ms.',
)
export type SeatsFrame = Type.Static<typeof SeatsFrame>

export const ResyncFrame = serverFrame(
  { type: Type.Literal('resync'), version: Count('Of the availability as it is now') },
  'The stream has a hole: fetch `availability` again.',
)
export type ResyncFrame = Type.Static<typeof ResyncFrame>

export const NoticeFrame = serverFrame(
  {
    type: Type.Literal('notice'),
    id: Text('Rises with each notice'),
    text: Text('Plain text'),
    to: Type.Literal('everyone'),
  },
  'The organiser says something to everyone.',
)
export type NoticeFrame = Type.Static<typeof NoticeFrame>

export const EndedFrame = serverFrame(
  { type: Type.Literal('ended'), reason: Type.Enum(ENDED_REASONS) },
  'The place or the pass is gone. Sold out is no end but a phase: who waits keeps the place for returned seats.',
)
export type EndedFrame = Type.Static<typeof EndedFrame>

export const ErrorFrame = serverFrame(
  {
    type: Type.Literal('error'),
    code: Type.Enum(ERROR_CODES, { description: 'The same codes as over HTTP' }),
    message: Text('A sentence for people'),
  },
  'A frame was refused; the third frame within 10 s that is not one of the protocol closes with 1008.',
)
export type ErrorFrame = Type.Static<typeof ErrorFrame>

/** Every frame a server sends, by its type. */
export const SERVER_FRAMES = {
  room: RoomFrame,
  joined: JoinedFrame,
  draw: DrawFrame,
  line: LineFrame,
  turn: TurnFrame,
  admitted: AdmittedFrame,
  seats: SeatsFrame,
  resync: ResyncFrame,
  notice: NoticeFrame,
  ended: EndedFrame,
  error: ErrorFrame,
} as const

export type ServerFrame =
  | RoomFrame
  | JoinedFrame
  | DrawFrame
  | LineFrame
  | TurnFrame
  | AdmittedFrame
  | SeatsFrame
  | ResyncFrame
  | NoticeFrame
  | EndedFrame
  | ErrorFrame
