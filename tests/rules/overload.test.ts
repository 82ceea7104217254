// Holds the door of a server to its order: nobody is turned away in vain, and the admitted are turned away last.
import { describe, expect, test } from 'bun:test'
import { Refusal } from '../../server/errors.ts'
import { createDoor, LIMITS_OF } from '../../server/overload.ts'
import { createTokens } from '../../server/tokens.ts'

const tokens = createTokens({ secret: 'a secret of the tests, long enough for HS256' })
const pass = (endsInMs: number) =>
  tokens.signPass({
    accountId: 'somebody',
    eventId: 'an event',
    epoch: 1,
    expiresAt: new Date(Date.now() + endsInMs),
  })
const HOLD = '/api/v1/booking'
const request = (headers: Record<string, string> = {}) => new Request('http://localhost/', { headers })
const admitted = () => request({ 'x-admission-pass': pass(60_000) })

function doorAt(lateMs: number) {
  const door = createDoor({ tokens, lateMs: () => lateMs })
  return (one: Request, path = HOLD) => door.enter(one, path)
}

describe('a server that is late', () => {
  test('takes everybody while it is not', () => {
    const enter = doorAt(LIMITS_OF.everybody.lateMs)
    expect(enter(request())).toBeFunction()
    expect(enter(admitted())).toBeFunction()
  })

  test('turns away who has no pass, and says when to come again', () => {
    const enter = doorAt(LIMITS_OF.everybody.lateMs + 1)
    const refused = enter(request())
    expect(refused).toBeInstanceOf(Refusal)
    expect([(refused as Refusal).code, (refused as Refusal).retryAfterSeconds]).toEqual(['overloaded', 1])
    expect(enter(admitted())).toBeFunction()
    expect(enter(request(), '/api/v1/payment/1/confirm')).toBeFunction()
  })

  test('believes no pass that is old or made up', () => {
    const enter = doorAt(LIMITS_OF.everybody.lateMs + 1)
    expect(enter(request({ 'x-admission-pass': pass(-2_000) }))).toBeInstanceOf(Refusal)
    expect(enter(request({ 'x-admission-pass': 'let me in' }))).toBeInstanceOf(Refusal)
  })

  test('turns away the admitted too when it is very late', () => {
    const enter = doorAt(LIMITS_OF.admitted.lateMs + 1)
    expect(enter(admitted())).toBeInstanceOf(Refusal)
    expect(enter(request(), '/api/v1/payment/1/confirm')).toBeInstanceOf(Refusal)
  })
})

describe('a server with many requests under way', () => {
  test('keeps room for the admitted, and has room again when somebody leaves', () => {
    const enter = doorAt(0)
    const leave = Array.from({ length: LIMITS_OF.everybody.underWay }, () => enter(request()))
    expect(leave.every((each) => typeof each === 'function')).toBe(true)
    expect(enter(request())).toBeInstanceOf(Refusal)
    expect(enter(admitted())).toBeFunction()
    for (const each of leave.slice(0, 2)) if (typeof each === 'function') each()
    expect(enter(request())).toBeFunction()
    expect(enter(request())).toBeInstanceOf(Refusal)
  })
})
