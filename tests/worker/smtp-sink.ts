// Owns the outside mail server of the worker's tests: a real SMTP server that can be taken away and given back.
import { simpleParser, type ParsedMail } from 'mailparser'
import { SMTPServer } from 'smtp-server'

export interface SmtpSink {
  url: string
  /** What has arrived, oldest first. */
  mails: ParsedMail[]
  /** Addresses that do not exist here. */
  unknown: Set<string>
  /** Messages wait at the door until the returned function is called; `waiting` counts them. */
  hold(): () => void
  waiting(): number
  /** From now on connections are refused, until `up`. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

export async function startSmtpSink(): Promise<SmtpSink> {
  const mails: ParsedMail[] = []
  const unknown = new Set<string>()
  const door = { held: Promise.resolve(), waiting: 0 }
  const inside = { mails, unknown, door }
  let running = await open(0, inside)
  const { port } = running
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    unknown,
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      door.held = promise
      return resolve
    },
    waiting: () => door.waiting,
    down: () => running.close(),
    up: async () => {
      running = await open(port, inside)
    },
    close: () => running.close(),
  }
}

interface Inside {
  mails: ParsedMail[]
  unknown: Set<string>
  door: { held: Promise<void>; waiting: number }
}

async function open(port: number, { mails, unknown, door }: Inside) {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onRcptTo({ address }, _session, done) {
      if (!unknown.has(address)) return done()
      done(Object.assign(new Error('no such mailbox here'), { responseCode: 550 }))
    },
    onData(stream, _session, done) {
      simpleParser(stream).then(async (mail) => {
        door.waiting += 1
        await door.held
        door.waiting -= 1
        mails.push(mail)
        done()
      }, done)
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('the mail sink has no port')
  return {
    port: address.port,
    close: () => new Promise<void>((resolve) => void server.close(resolve)),
  }
}
