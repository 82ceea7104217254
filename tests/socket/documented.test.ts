// Holds the socket's document to AsyncAPI and to what servers really send: nothing undocumented, nothing only on paper.
import schema from '@asyncapi/specs/schemas/3.0.0-without-$id.json'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import Type from 'typebox'
import Schema from 'typebox/schema'
import { asyncApi } from '../../server/protocol/asyncapi.ts'
import { CLOSE_CODES } from '../../server/protocol/codes.ts'
import { CLIENT_FRAMES, SERVER_FRAMES, type ServerFrame } from '../../server/protocol/socket.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { closeSockets, frameFault, openSocket } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const DOCS = '/api/docs/socket'

let app: AppHarness
beforeAll(async () => {
  app = await startApp()
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(() => app.close(), START_WITHIN_MS)

const document = () => structuredClone(asyncApi({ publicUrl: 'https://tickets.example', version: '1.2.3' }))

describe('the document', () => {
  const isAsyncApi = Schema.Compile(schema as Type.TSchema)

  test('is AsyncAPI 3 to its own schema, which would notice a fault', () => {
    const good = JSON.parse(JSON.stringify(document()))
    expect(isAsyncApi.Check(good)).toBe(true)
    expect(isAsyncApi.Check({ ...good, info: { title: 'no version' } })).toBe(false)
    expect(isAsyncApi.Check({ ...good, channels: { event: { address: 1 } } })).toBe(false)
    expect(isAsyncApi.Check({ ...good, operations: { toClient: { action: 'shout' } } })).toBe(false)
  })

  test('names every frame of both sides once, each message exists, and every close code is explained', () => {
    const { channels, components, operations } = document()
    const names = [...Object.keys(CLIENT_FRAMES), ...Object.keys(SERVER_FRAMES)].toSorted()
    expect(new Set(names).size).toBe(names.length)
    expect(Object.keys(components.messages).toSorted()).toEqual(names)
    const said = [operations.fromClient, operations.toClient].flatMap(({ messages }) =>
      messages.map(({ $ref }) => $ref.split('/').at(-1)!),
    )
    expect(said.toSorted()).toEqual(names)
    expect(
      Object.values(channels.event.messages)
        .map(({ $ref }) => $ref.split('/').at(-1)!)
        .toSorted(),
    ).toEqual(names)
    for (const message of Object.values(components.messages)) expect(message.summary).toEndWith('.')
    expect(channels.event['x-close-codes'].map(({ code }) => code)).toEqual(Object.values(CLOSE_CODES))
  })

  test('is JSON to a program and a page to a browser, without anything from elsewhere', async () => {
    const json = await app.call('GET', DOCS)
    expect([json.status, json.body.asyncapi]).toEqual([200, '3.0.0'])
    expect(json.body.servers.here).toMatchObject({
      host: `localhost:${new URL(app.url).port}`,
      protocol: 'ws',
    })
    const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
    expect((await app.call('GET', `${DOCS}.json`, { headers: { accept } })).body).toEqual(json.body)
    const page = await app.call('GET', DOCS, { headers: { accept } })
    expect(page.headers.get('content-type')).toStartWith('text/html')
    for (const name of Object.keys(json.body.components.messages)) expect(page.body).toContain(`id="${name}"`)
    expect(page.body).not.toMatch(/<script|https?:\/\/(?!localhost)|undefined|\[object/)
    expect(page.headers.get('content-security-policy')).toStartWith("default-src 'none'")
  })
})

test('a sale sends every documented frame but the draw’s, each as documented', async () => {
  const { eventId, organizer, seatId } = await app.event({ room: ROOM })
  const [a, b] = await app.people(2)
  const buyer = await openSocket(app.url, eventId, { token: a!.token })
  buyer.send({ type: 'watch', version: 1 })
  buyer.send({ type: 'join' })
  await buyer.next('joined')
  await buyer.next('turn')
  const second = await openSocket(app.url, eventId, { token: b!.token })
  second.send({ type: 'join' })
  await second.next('joined')
  second.send({ type: 'claim' })
  expect((await second.next('error')).code).toBe('request_invalid')
  await app.call('POST', `/event/${eventId}/room/notice`, {
    token: organizer.token,
    body: { text: 'Doors at eight' },
  })
  await second.next('notice')
  buyer.send({ type: 'claim' })
  const { pass } = await buyer.next('admitted')
  await app.hold(a!, [seatId(0)], { 'x-admission-pass': pass })
  await buyer.next('seats')
  const late = await openSocket(app.url, eventId)
  await late.next('room', ({ message }) => message === 'Doors at eight')
  await second.next('line', ({ waiting }) => waiting === 1)
  buyer.send({ type: 'leave' })
  await buyer.next('ended')
  await second.next('turn')
  const seen = new Set([...buyer.frames, ...second.frames].map(({ type }) => type))
  const unseen = (Object.keys(SERVER_FRAMES) as ServerFrame['type'][]).filter((type) => !seen.has(type))
  expect(unseen.toSorted()).toEqual(['draw'])
})

test('a frame nobody documented is noticed', () => {
  expect(frameFault({ type: 'turn', claimBefore: new Date().toISOString() })).toBeNull()
  expect(frameFault({ type: 'turn', claimBefore: new Date().toISOString(), more: 1 })).toContain('more')
  expect(frameFault({ type: 'turn' })).toContain('not as documented')
  expect(frameFault({ type: 'hurry' })).toContain('unknown type')
})
