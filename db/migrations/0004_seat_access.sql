CREATE TYPE "public"."seat_access" AS ENUM('standard', 'accessible', 'companion');--> statement-breakpoint
ALTER TABLE "seats" ADD COLUMN "access" "seat_access" DEFAULT 'standard' NOT NULL;--> statement-breakpoint
CREATE INDEX "seats_access_idx" ON "seats" USING btree ("event_id","n") WHERE "seats"."access" <> 'standard';