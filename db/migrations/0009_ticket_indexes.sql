CREATE INDEX "tickets_booking_idx" ON "tickets" USING btree ("event_id","booking_id");--> statement-breakpoint
CREATE INDEX "tickets_id_idx" ON "tickets" USING btree ("id");