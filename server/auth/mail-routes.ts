// Answers whoever needs a mail to go on: a new account, an address to confirm, a forgotten password.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import {
  normalEmail,
  registerAccount,
  requestPasswordReset,
  requestVerification,
  resetPassword,
  verifyEmail,
} from '../../db/accounts.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { EmailBody, RegisterBody, ResetPasswordBody, VerifyQuery } from '../protocol/http.ts'
import { emailKey, limitAddress } from './caller.ts'
import { requireRate } from '../rate-limit.ts'
import { hashPassword } from './passwords.ts'
import { markEnded } from './session-check.ts'

const NOTHING = Type.Null()
const CHECK_YOUR_MAIL = 'If this address can be used, a mail is on its way.'
const LINK_DEAD = 'This link is not valid any more. Ask for a new one.'

export const mailRoutes = (context: Context) =>
  new Elysia().use(registration(context)).use(passwords(context))

const registration = (context: Context) =>
  new Elysia()
    .post(
      '/register',
      async ({ body, request, set }) => {
        await limitAddress(context, 'register', request)
        await limitMailbox(context, body.email)
        const passwordHash = await hashPassword(body.password)
        await registerAccount(context.ledger.db, { ...body, passwordHash })
        set.status = 201
        return reply(201, CHECK_YOUR_MAIL, { email: normalEmail(body.email) })
      },
      {
        body: RegisterBody,
        detail: describe({
          summary: 'Register an account',
          description:
            'Answers the same whether or not the address has an account, and sends a mail either way. Of an unverified address the latest registration counts.',
          tag: 'Auth',
          access: 'anyone',
          body: true,
          success: { status: 201, data: EmailBody, description: 'A mail is on its way.' },
        }),
      },
    )
    .post(
      '/verify',
      async ({ query }) => {
        const verified = await verifyEmail(context.ledger.db, query)
        if (!verified.ok) throw new Refusal('request_invalid', { message: LINK_DEAD })
        return reply(200, 'Your address is confirmed; you can log in.', null)
      },
      {
        query: VerifyQuery,
        detail: describe({
          summary: 'Confirm an address',
          description: 'With the token of the mail; it works once and for one hour.',
          tag: 'Auth',
          access: 'anyone',
          success: { status: 200, data: NOTHING, description: 'The address is confirmed.' },
          codes: ['request_invalid'],
        }),
      },
    )
    .post(
      '/verify/resend',
      async ({ body, request, set }) => {
        await limitAddress(context, 'mail', request)
        await limitMailbox(context, body.email)
        await inSameTime(requestVerification(context.ledger.db, body))
        set.status = 202
        return reply(202, CHECK_YOUR_MAIL, null)
      },
      {
        body: EmailBody,
        detail: describe({
          summary: 'Send the verification mail again',
          description: 'Earlier links stop working. Answers the same for every address.',
          tag: 'Auth',
          access: 'anyone',
          body: true,
          success: { status: 202, data: NOTHING, description: 'A mail is on its way, if one is due.' },
        }),
      },
    )

const passwords = (context: Context) =>
  new Elysia()
    .post(
      '/password/forgot',
      async ({ body, request, set }) => {
        await limitAddress(context, 'mail', request)
        await limitMailbox(context, body.email)
        await inSameTime(requestPasswordReset(context.ledger.db, body))
        set.status = 202
        return reply(202, CHECK_YOUR_MAIL, null)
      },
      {
        body: EmailBody,
        detail: describe({
          summary: 'Ask for a new password',
          description: 'Answers the same for every address.',
          tag: 'Auth',
          access: 'anyone',
          body: true,
          success: { status: 202, data: NOTHING, description: 'A mail is on its way, if one is due.' },
        }),
      },
    )
    .post(
      '/password/reset',
      async ({ body, request }) => {
        await limitAddress(context, 'mail', request)
        const passwordHash = await hashPassword(body.password)
        const reset = await resetPassword(context.ledger.db, { token: body.token, passwordHash })
        if (!reset.ok) throw new Refusal('request_invalid', { message: LINK_DEAD })
        await markEnded(context, reset.endedSessionIds)
        return reply(200, 'Your password is changed; please log in.', null)
      },
      {
        body: ResetPasswordBody,
        detail: describe({
          summary: 'Choose a new password',
          description: 'With the token of the mail; it works once and for one hour. Ends all sessions.',
          tag: 'Auth',
          access: 'anyone',
          body: true,
          success: { status: 200, data: NOTHING, description: 'The password is changed.' },
        }),
      },
    )

/** Longer than staging a mail takes, so that an address nobody has is answered no sooner. */
const SAME_TIME_MS = 60

async function inSameTime(work: Promise<unknown>): Promise<void> {
  await Promise.all([work, Bun.sleep(SAME_TIME_MS)])
}

const limitMailbox = (context: Context, email: string) =>
  requireRate(context, { name: 'mailbox', key: emailKey(email) })
