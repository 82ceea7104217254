// Decides how a table is written as CSV: RFC 4180, safe to open in a spreadsheet, streamed while it is read.
const LINE_END = '\r\n'

/** A text that a spreadsheet would take for a formula gets an apostrophe in front, which it shows as text. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export const csvRow = (fields: readonly string[]): string => fields.map(csvField).join(',') + LINE_END

/**
 * A table with its head, as UTF-8. `read` answers the next rows, already as text, or null after the last: it is asked
 * only when the reader has taken what came before, so that a slow one costs no memory.
 */
export function csvStream(
  columns: readonly string[],
  read: () => Promise<string | null>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let begun = false
  return new ReadableStream({
    async pull(controller) {
      if (!begun) {
        begun = true
        return controller.enqueue(encoder.encode(csvRow(columns)))
      }
      let text = await read()
      while (text === '') text = await read()
      if (text === null) controller.close()
      else controller.enqueue(encoder.encode(text))
    },
  })
}
