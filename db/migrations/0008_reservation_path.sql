-- A seat is moved two or three times in its life; with room on its page a move touches none of the indexes.
ALTER TABLE "seats" SET (fillfactor = 60);--> statement-breakpoint
-- What a buyer has or may still have: holds that are over count until they are ended, so it is never too low.
-- Volatile on purpose: called under the buyer's lock within one statement, it sees what was committed until the lock was
-- got, where the statement itself sees what was committed until it began.
CREATE FUNCTION "live_seats_of_buyer"("event" uuid, "account" uuid) RETURNS integer LANGUAGE sql VOLATILE AS $$
  select coalesce(sum((select count(*) from booking_seats bs
    where bs.event_id = b.event_id and bs.booking_id = b.id and bs.live)), 0)::int
  from bookings b
  where b.event_id = event and b.account_id = account and b.status in ('PENDING', 'CONFIRMED')
$$;--> statement-breakpoint
-- The first line of a booking's timeline is the booking itself, and is made from it.
DELETE FROM "booking_timeline" WHERE "what" = 'seats_held';
