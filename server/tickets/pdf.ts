// Owns what a printed ticket looks like: a page each, with everything the door needs in words and in a QR.
import { PDFDocument, rgb, StandardFonts, type PDFFont, type PDFPage } from 'pdf-lib'
import { encode } from 'uqr'
import type { TicketRow } from '../../db/tickets.ts'

/** Points; a page is A6, so that four fit on a sheet and one fills a phone. */
const PAGE = { width: 298, height: 420, margin: 28 }
const QR_SIDE = 170
/** White around the code, in modules: less and some scanners do not find it. */
const QR_QUIET = 4
/** Each module reaches a little into its neighbours, or a hair of white shows between them. */
const QR_OVERLAP = 1.04
const SIZES = { title: 17, body: 10.5, small: 8 }
const INK = rgb(0.07, 0.08, 0.1)
const GREY = rgb(0.42, 0.44, 0.48)

interface Fonts {
  plain: PDFFont
  bold: PDFFont
}

/** One page for each ticket, in the given order. */
export async function ticketsPdf(tickets: TicketRow[]): Promise<Uint8Array<ArrayBuffer>> {
  const pdf = await PDFDocument.create()
  const fonts = {
    plain: await pdf.embedFont(StandardFonts.Helvetica),
    bold: await pdf.embedFont(StandardFonts.HelveticaBold),
  }
  for (const ticket of tickets) drawTicket(pdf.addPage([PAGE.width, PAGE.height]), fonts, ticket)
  pdf.setTitle(tickets[0]?.eventName ?? 'Tickets')
  pdf.setProducer('Onsale')
  return new Uint8Array(await pdf.save())
}

function drawTicket(page: PDFPage, { plain, bold }: Fonts, ticket: TicketRow): void {
  const { margin, height, width } = PAGE
  let y = height - margin - SIZES.title
  const line = (text: string, font: PDFFont, size: number, color = INK) => {
    const words = inGlyphsOf(font, text)
    const fitting = Math.min(
      size,
      (size * (width - 2 * margin)) / Math.max(1, font.widthOfTextAtSize(words, size)),
    )
    page.drawText(words, { x: margin, y, size: fitting, font, color })
    y -= size * 1.5
  }
  line(ticket.eventName, bold, SIZES.title)
  line(startOf(ticket), plain, SIZES.body)
  line(ticket.location, plain, SIZES.body, GREY)
  y -= SIZES.body
  line(placeOf(ticket), bold, SIZES.body + 2)
  line(ticket.tier, plain, SIZES.body, GREY)
  drawQr(page, ticket.code, { x: (width - QR_SIDE) / 2, y: margin + 2 * SIZES.small })
  y = margin
  line(`Ticket ${ticket.id}`, plain, SIZES.small, GREY)
}

/** Rectangles instead of a picture: sharp at every size. */
function drawQr(page: PDFPage, text: string, at: { x: number; y: number }): void {
  const { data, size } = encode(text, { ecc: 'M', border: QR_QUIET })
  const side = QR_SIDE / size
  const ink = side * QR_OVERLAP
  data.forEach((row, down) =>
    row.forEach((isDark, across) => {
      if (!isDark) return
      const x = at.x + across * side
      page.drawRectangle({ x, y: at.y + QR_SIDE - (down + 1) * side, width: ink, height: ink, color: INK })
    }),
  )
}

/** The local time of the house, as its visitors read a clock. */
function startOf({ startsAt, timeZone }: TicketRow): string {
  const format = { dateStyle: 'full', timeStyle: 'short', timeZone } as const
  return `${new Intl.DateTimeFormat('en-GB', format).format(startsAt)} (${timeZone})`
}

function placeOf({ section, row, number }: TicketRow): string {
  return [section, row === null ? 'free choice of place' : `row ${row}`, number && `seat ${number}`]
    .filter(Boolean)
    .join(', ')
}

/** The standard fonts know Western European letters; what they do not know is shown as a question mark. */
function inGlyphsOf(font: PDFFont, text: string): string {
  const known = new Set(font.getCharacterSet())
  return [...text].map((letter) => (known.has(letter.codePointAt(0)!) ? letter : '?')).join('')
}
