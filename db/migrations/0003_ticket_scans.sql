ALTER TABLE "tickets" ADD COLUMN "used_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "tickets" ADD COLUMN "used_gate" text;--> statement-breakpoint
CREATE INDEX "tickets_code" ON "tickets" USING btree ("code");--> statement-breakpoint
ALTER TABLE "tickets" ADD CONSTRAINT "tickets_used" CHECK ("tickets"."used_at" is not null or "tickets"."used_gate" is null);