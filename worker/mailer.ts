// Owns outgoing mail: one pooled SMTP transport, bounded in time, that never sends one message to a second reader.
import nodemailer from 'nodemailer'
import type { Config } from './config.ts'
import type { Mail } from './emails/letter.ts'
import { describeFault } from './log.ts'

export interface Mailer {
  /** Throws UndeliverableAddress when trying again cannot help, and DeliveryFailed when it can. */
  send(message: { outboxId: number; to: string; mail: Mail }): Promise<void>
  close(): void
}

export class UndeliverableAddress extends Error {}
/** Made of words alone: the transport's own codes are those of any lost connection, and must not pass for Postgres'. */
class DeliveryFailed extends Error {}

/** As many mails at once; SMTP servers refuse crowds from one sender. */
export const MAIL_CONNECTIONS = 5
const MESSAGES_PER_CONNECTION = 100
const CONNECT_TIMEOUT_MS = 5_000
/** Below the time a stop waits for jobs, so that a silent server cannot hold a stop up. */
const SILENCE_TIMEOUT_MS = 7_000
const REFUSED_FOR_GOOD = 500
/** One mailbox and nothing else: no list, no comment, no line break that could begin another header. */
const ONE_ADDRESS = /^[^\s<>()",:;@\\\p{Cc}]{1,64}@[^\s<>()",:;@\\\p{Cc}]{1,255}$/u

export function createMailer(config: Pick<Config, 'smtpUrl' | 'mailFrom' | 'publicUrl'>): Mailer {
  const transport = nodemailer.createTransport({
    url: config.smtpUrl,
    pool: true,
    maxConnections: MAIL_CONNECTIONS,
    maxMessages: MESSAGES_PER_CONNECTION,
    // A message is tried again by its job, which re-reads the outbox first, and by nobody else.
    maxRequeues: 0,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const host = new URL(config.publicUrl).hostname

  return {
    async send({ outboxId, to, mail }) {
      if (!ONE_ADDRESS.test(to)) throw new UndeliverableAddress('the address is not one mailbox')
      try {
        await transport.sendMail({
          from: config.mailFrom,
          to: { name: '', address: to },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: messageId(outboxId, host),
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
      } catch (fault) {
        if (isRefusedForGood(fault)) throw new UndeliverableAddress('the mail server refuses the address')
        throw new DeliveryFailed(describeFault(fault))
      }
    },
    close: () => transport.close(),
  }
}

/** The same for every try of one outbox row, so that a mail program or a person can tell a mail sent twice. */
export function messageId(outboxId: number, host: string): string {
  return `<outbox-${outboxId}@${host}>`
}

function isRefusedForGood(fault: unknown): boolean {
  if (!(fault instanceof Error)) return false
  const { responseCode, command } = fault as { responseCode?: number; command?: string }
  return command === 'RCPT TO' && (responseCode ?? 0) >= REFUSED_FOR_GOOD
}
