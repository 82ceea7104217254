CREATE TYPE "public"."booking_status" AS ENUM('PENDING', 'CONFIRMED', 'EXPIRED', 'CANCELLED', 'REFUNDED');--> statement-breakpoint
CREATE TYPE "public"."event_status" AS ENUM('DRAFT', 'PUBLISHED', 'CANCELLED');--> statement-breakpoint
CREATE TYPE "public"."payment_status" AS ENUM('PROCESSING', 'CAPTURED', 'DECLINED', 'REFUND_DUE', 'REFUNDED');--> statement-breakpoint
CREATE TYPE "public"."room_control" AS ENUM('auto', 'open', 'paused', 'closed');--> statement-breakpoint
CREATE TYPE "public"."seat_status" AS ENUM('AVAILABLE', 'RESERVED', 'SOLD', 'BLOCKED');--> statement-breakpoint
CREATE TYPE "public"."section_kind" AS ENUM('seated', 'general');--> statement-breakpoint
CREATE TYPE "public"."ticket_status" AS ENUM('VALID', 'REFUNDED');--> statement-breakpoint
CREATE TABLE "account_roles" (
	"account_id" uuid NOT NULL,
	"role_id" uuid NOT NULL,
	CONSTRAINT "account_roles_account_id_role_id_pk" PRIMARY KEY("account_id","role_id")
);
--> statement-breakpoint
CREATE TABLE "accounts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text,
	"password_hash" text,
	"full_name" text,
	"verified_at" timestamp (3) with time zone,
	"disabled_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "accounts_email_lower" CHECK ("accounts"."email" = lower("accounts"."email"))
);
--> statement-breakpoint
CREATE TABLE "booking_seats" (
	"event_id" uuid NOT NULL,
	"booking_id" uuid NOT NULL,
	"n" integer NOT NULL,
	"price" bigint NOT NULL,
	"live" boolean DEFAULT true NOT NULL,
	CONSTRAINT "booking_seats_event_id_booking_id_n_pk" PRIMARY KEY("event_id","booking_id","n")
);
--> statement-breakpoint
CREATE TABLE "booking_timeline" (
	"event_id" uuid NOT NULL,
	"booking_id" uuid NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "booking_timeline_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"what" text NOT NULL,
	"detail" jsonb,
	CONSTRAINT "booking_timeline_event_id_booking_id_id_pk" PRIMARY KEY("event_id","booking_id","id")
);
--> statement-breakpoint
CREATE TABLE "bookings" (
	"event_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"status" "booking_status" DEFAULT 'PENDING' NOT NULL,
	"seat_count" integer NOT NULL,
	"total" bigint NOT NULL,
	"currency" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"confirmed_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "bookings_event_id_id_pk" PRIMARY KEY("event_id","id"),
	CONSTRAINT "bookings_total" CHECK ("bookings"."total" >= 0 and "bookings"."seat_count" >= 1),
	CONSTRAINT "bookings_confirmed" CHECK (("bookings"."status" in ('CONFIRMED', 'REFUNDED')) = ("bookings"."confirmed_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner_id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"location" text NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"time_zone" text NOT NULL,
	"currency" text NOT NULL,
	"on_sale_at" timestamp (3) with time zone,
	"hold_seconds" integer DEFAULT 900 NOT NULL,
	"max_seats_per_booking" integer DEFAULT 6 NOT NULL,
	"max_seats_per_buyer" integer DEFAULT 8 NOT NULL,
	"status" "event_status" DEFAULT 'DRAFT' NOT NULL,
	"map_version" integer DEFAULT 0 NOT NULL,
	"seat_count" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "events_hold_seconds" CHECK ("events"."hold_seconds" between 5 and 3600),
	CONSTRAINT "events_limits" CHECK ("events"."max_seats_per_booking" >= 1 and "events"."max_seats_per_buyer" >= 1),
	CONSTRAINT "events_seat_count" CHECK ("events"."seat_count" between 0 and 200000)
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"account_id" uuid NOT NULL,
	"key" text NOT NULL,
	"request_hash" "bytea" NOT NULL,
	"status_code" smallint NOT NULL,
	"response" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_account_id_key_pk" PRIMARY KEY("account_id","key")
);
--> statement-breakpoint
CREATE TABLE "mail_tokens" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"account_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "mail_tokens_purpose" CHECK ("mail_tokens"."purpose" in ('verify_email', 'reset_password'))
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"payload" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"settled_at" timestamp (3) with time zone,
	"dead_at" timestamp (3) with time zone,
	"relayed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "payments" (
	"event_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"booking_id" uuid NOT NULL,
	"provider" text NOT NULL,
	"provider_ref" text NOT NULL,
	"method" text NOT NULL,
	"status" "payment_status" NOT NULL,
	"amount" bigint NOT NULL,
	"captured" bigint DEFAULT 0 NOT NULL,
	"refunded" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_event_id_id_pk" PRIMARY KEY("event_id","id"),
	CONSTRAINT "payments_provider_ref_key" UNIQUE("event_id","provider","provider_ref"),
	CONSTRAINT "payments_money" CHECK ("payments"."refunded" >= 0 and "payments"."refunded" <= "payments"."captured" and "payments"."captured" <= "payments"."amount")
);
--> statement-breakpoint
CREATE TABLE "permissions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	CONSTRAINT "permissions_name_key" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "refresh_tokens" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"rotated_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "role_permissions" (
	"role_id" uuid NOT NULL,
	"permission_id" uuid NOT NULL,
	CONSTRAINT "role_permissions_role_id_permission_id_pk" PRIMARY KEY("role_id","permission_id")
);
--> statement-breakpoint
CREATE TABLE "roles" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	CONSTRAINT "roles_name_key" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "room_progress" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"epoch" integer NOT NULL,
	"arrivals" integer NOT NULL,
	"serving" integer NOT NULL,
	"saved_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rooms" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"enabled" boolean DEFAULT false NOT NULL,
	"control" "room_control" DEFAULT 'auto' NOT NULL,
	"lobby_at" timestamp (3) with time zone,
	"active_max" integer DEFAULT 100 NOT NULL,
	"admit_per_minute" integer,
	"door_seconds" integer DEFAULT 60 NOT NULL,
	"pass_seconds" integer DEFAULT 600 NOT NULL,
	"grace_seconds" integer DEFAULT 300 NOT NULL,
	"notice_id" integer DEFAULT 0 NOT NULL,
	"notice_text" text,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "rooms_active_max" CHECK ("rooms"."active_max" between 1 and 100000),
	CONSTRAINT "rooms_seconds" CHECK ("rooms"."door_seconds" >= 0 and "rooms"."pass_seconds" >= 1 and "rooms"."grace_seconds" >= 0 and ("rooms"."admit_per_minute" is null or "rooms"."admit_per_minute" >= 1))
);
--> statement-breakpoint
CREATE TABLE "sandbox_charges" (
	"ref" text PRIMARY KEY NOT NULL,
	"amount" bigint NOT NULL,
	"refunded" bigint DEFAULT 0 NOT NULL,
	"outcome" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "seats" (
	"event_id" uuid NOT NULL,
	"n" integer NOT NULL,
	"section_id" smallint NOT NULL,
	"row_label" text,
	"seat_label" text,
	"tier_id" smallint NOT NULL,
	"status" "seat_status" DEFAULT 'AVAILABLE' NOT NULL,
	"version" integer DEFAULT 0 NOT NULL,
	"booking_id" uuid,
	"blocked_reason" text,
	CONSTRAINT "seats_event_id_n_pk" PRIMARY KEY("event_id","n"),
	CONSTRAINT "seats_label_key" UNIQUE("event_id","section_id","row_label","seat_label"),
	CONSTRAINT "seats_status_booking" CHECK (("seats"."status" in ('RESERVED', 'SOLD')) = ("seats"."booking_id" is not null)),
	CONSTRAINT "seats_status_blocked" CHECK (("seats"."status" = 'BLOCKED') = ("seats"."blocked_reason" is not null))
);
--> statement-breakpoint
CREATE TABLE "sections" (
	"event_id" uuid NOT NULL,
	"id" smallint NOT NULL,
	"name" text NOT NULL,
	"kind" "section_kind" NOT NULL,
	"tier_id" smallint NOT NULL,
	"first_n" integer NOT NULL,
	"seat_count" integer NOT NULL,
	"layout" jsonb,
	CONSTRAINT "sections_event_id_id_pk" PRIMARY KEY("event_id","id"),
	CONSTRAINT "sections_name_key" UNIQUE("event_id","name"),
	CONSTRAINT "sections_layout" CHECK (("sections"."kind" = 'seated') = ("sections"."layout" is not null))
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"account_id" uuid NOT NULL,
	"user_agent" text DEFAULT '' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"ended_because" text
);
--> statement-breakpoint
CREATE TABLE "tickets" (
	"event_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"booking_id" uuid NOT NULL,
	"n" integer NOT NULL,
	"code" text NOT NULL,
	"status" "ticket_status" DEFAULT 'VALID' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tickets_event_id_id_pk" PRIMARY KEY("event_id","id"),
	CONSTRAINT "tickets_code_key" UNIQUE("event_id","code")
);
--> statement-breakpoint
CREATE TABLE "tiers" (
	"event_id" uuid NOT NULL,
	"id" smallint NOT NULL,
	"name" text NOT NULL,
	"price" bigint NOT NULL,
	CONSTRAINT "tiers_event_id_id_pk" PRIMARY KEY("event_id","id"),
	CONSTRAINT "tiers_name_key" UNIQUE("event_id","name"),
	CONSTRAINT "tiers_price" CHECK ("tiers"."price" >= 0)
);
--> statement-breakpoint
ALTER TABLE "account_roles" ADD CONSTRAINT "account_roles_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_roles" ADD CONSTRAINT "account_roles_role_id_roles_id_fk" FOREIGN KEY ("role_id") REFERENCES "public"."roles"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "booking_seats" ADD CONSTRAINT "booking_seats_booking_fk" FOREIGN KEY ("event_id","booking_id") REFERENCES "public"."bookings"("event_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "booking_timeline" ADD CONSTRAINT "booking_timeline_booking_fk" FOREIGN KEY ("event_id","booking_id") REFERENCES "public"."bookings"("event_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bookings" ADD CONSTRAINT "bookings_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bookings" ADD CONSTRAINT "bookings_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_owner_id_accounts_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mail_tokens" ADD CONSTRAINT "mail_tokens_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_booking_fk" FOREIGN KEY ("event_id","booking_id") REFERENCES "public"."bookings"("event_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_role_id_roles_id_fk" FOREIGN KEY ("role_id") REFERENCES "public"."roles"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_permission_id_permissions_id_fk" FOREIGN KEY ("permission_id") REFERENCES "public"."permissions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "room_progress" ADD CONSTRAINT "room_progress_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rooms" ADD CONSTRAINT "rooms_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "seats" ADD CONSTRAINT "seats_section_fk" FOREIGN KEY ("event_id","section_id") REFERENCES "public"."sections"("event_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "seats" ADD CONSTRAINT "seats_booking_fk" FOREIGN KEY ("event_id","booking_id","n") REFERENCES "public"."booking_seats"("event_id","booking_id","n") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sections" ADD CONSTRAINT "sections_tier_fk" FOREIGN KEY ("event_id","tier_id") REFERENCES "public"."tiers"("event_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tickets" ADD CONSTRAINT "tickets_booking_seat_fk" FOREIGN KEY ("event_id","booking_id","n") REFERENCES "public"."booking_seats"("event_id","booking_id","n") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tiers" ADD CONSTRAINT "tiers_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_email_key" ON "accounts" USING btree ("email");--> statement-breakpoint
CREATE UNIQUE INDEX "booking_seats_live_key" ON "booking_seats" USING btree ("event_id","n") WHERE "booking_seats"."live";--> statement-breakpoint
CREATE INDEX "bookings_id_idx" ON "bookings" USING btree ("id");--> statement-breakpoint
CREATE INDEX "bookings_account_idx" ON "bookings" USING btree ("account_id","id");--> statement-breakpoint
CREATE INDEX "bookings_event_account_idx" ON "bookings" USING btree ("event_id","account_id") WHERE "bookings"."status" in ('PENDING', 'CONFIRMED');--> statement-breakpoint
CREATE INDEX "bookings_due_idx" ON "bookings" USING btree ("expires_at") WHERE "bookings"."status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "events_published_idx" ON "events" USING btree ("starts_at") WHERE "events"."status" = 'PUBLISHED';--> statement-breakpoint
CREATE INDEX "events_owner_idx" ON "events" USING btree ("owner_id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_age_idx" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "mail_tokens_account_idx" ON "mail_tokens" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "outbox_open_idx" ON "outbox" USING btree ("id") WHERE "outbox"."settled_at" is null and "outbox"."dead_at" is null;--> statement-breakpoint
CREATE INDEX "payments_booking_idx" ON "payments" USING btree ("event_id","booking_id");--> statement-breakpoint
CREATE INDEX "payments_open_idx" ON "payments" USING btree ("updated_at") WHERE "payments"."status" in ('PROCESSING', 'REFUND_DUE');--> statement-breakpoint
CREATE UNIQUE INDEX "payments_one_open_key" ON "payments" USING btree ("event_id","booking_id") WHERE "payments"."status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "refresh_tokens_session_idx" ON "refresh_tokens" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "sessions_account_idx" ON "sessions" USING btree ("account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "tickets_valid_seat_key" ON "tickets" USING btree ("event_id","n") WHERE "tickets"."status" = 'VALID';