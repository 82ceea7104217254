// Owns where links in mails lead: pages of the web client.

export function createLinks(publicUrl: string) {
  const page = (path: string, query: Record<string, string> = {}) => {
    const words = new URLSearchParams(query).toString()
    return `${publicUrl}${path}${words === '' ? '' : `?${words}`}`
  }
  return {
    verify: (token: string, email: string) => page('/verify', { token, email }),
    resetPassword: (token: string, email: string) => page('/reset', { token, email }),
    login: () => page('/login'),
    event: (eventId: string) => page(`/events/${eventId}`),
    /** The page that shows a paid booking with its tickets. */
    confirmedBooking: (bookingId: string) => page(`/bookings/${bookingId}/confirmed`),
    bookings: () => page('/bookings'),
  }
}
export type Links = ReturnType<typeof createLinks>
