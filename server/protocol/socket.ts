// Owns the socket's language: the closed unions of frames each side may send (contract section 4).
import Type from 'typebox'
import {
  ENDED_REASONS,
  ERROR_CODES,
  ROOM_PHASES,
  type EndedReason,
  type ErrorCode,
  type RoomPhase,
} from './codes.ts'

const TICKET_MAX = 1_024
const TOKEN_MAX = 2_048
const frame = <T extends Type.TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })

export const ClientFrame = Type.Union([
  frame({ type: Type.Literal('hello'), token: Type.Optional(Type.String({ maxLength: TOKEN_MAX })) }),
  frame({ type: Type.Literal('join'), ticket: Type.Optional(Type.String({ maxLength: TICKET_MAX })) }),
  frame({ type: Type.Literal('claim') }),
  frame({ type: Type.Literal('leave') }),
  frame({ type: Type.Literal('defer') }),
  frame({ type: Type.Literal('watch'), version: Type.Optional(Type.Integer({ minimum: 0 })) }),
  frame({ type: Type.Literal('unwatch') }),
])
export type ClientFrame = Type.Static<typeof ClientFrame>

export interface RoomFrame {
  type: 'room'
  phase: RoomPhase
  lobbyAt: string | null
  onSaleAt: string | null
  commitment: string | null
  doorSeconds: number
  passSeconds: number
  epoch: number
  serverTime: string
  message?: string
}

export interface JoinedFrame {
  type: 'joined'
  number: number
  place: number | null
  ticket: string
  epoch: number
}

/** Sent when places are drawn; the first-come line of today never sends it. */
export interface DrawFrame {
  type: 'draw'
  seed: string
  entrants: number
  root: string
  algorithm: string
}

export interface LineFrame {
  type: 'line'
  serving: number
  waiting: number
  /** Passes issued in the last 60 s. */
  perMinute: number
  /** [first place of the bucket, entrants in it who left], ascending; buckets without leavers are absent. */
  gone: [number, number][]
  seatsLeft: number
  at: string
}

export interface TurnFrame {
  type: 'turn'
  claimBefore: string
}

export interface AdmittedFrame {
  type: 'admitted'
  pass: string
  expiresAt: string
}

export interface SeatsFrame {
  type: 'seats'
  version: number
  /** [n, code]; code as in `availability`. */
  changes: [number, number][]
}

export interface ResyncFrame {
  type: 'resync'
  version: number
}

export interface NoticeFrame {
  type: 'notice'
  id: string
  text: string
  to: 'everyone'
}

export interface EndedFrame {
  type: 'ended'
  reason: EndedReason
}

export interface ErrorFrame {
  type: 'error'
  code: ErrorCode
  message: string
}

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

/** What a test or a strict client can hold a server frame against. */
export const SERVER_FRAME_WORDS = { phases: ROOM_PHASES, ended: ENDED_REASONS, errors: ERROR_CODES } as const
