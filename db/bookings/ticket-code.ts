// Decides what a ticket's code is: too long to be guessed, and short enough for a QR that reads from a cracked screen.

const TICKET_CODE_BYTES = 16

export const ticketCode = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(TICKET_CODE_BYTES))).toString('base64url')
