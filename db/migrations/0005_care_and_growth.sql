CREATE TABLE "audits" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audits_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"took_ms" integer NOT NULL,
	"violations" integer NOT NULL,
	"lines" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "hold_clock" (
	"id" smallint PRIMARY KEY DEFAULT 1 NOT NULL,
	"beat_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "hold_clock_one" CHECK ("hold_clock"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "hold_freezes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "hold_freezes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"since" timestamp (3) with time zone NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	"reason" text NOT NULL,
	"ended_by" text NOT NULL,
	"holds" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "operator_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "operator_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"account_id" uuid,
	"what" text NOT NULL,
	"detail" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sandbox_keys" (
	"id" smallint PRIMARY KEY DEFAULT 1 NOT NULL,
	"webhook_secret" "bytea" NOT NULL,
	CONSTRAINT "sandbox_keys_one" CHECK ("sandbox_keys"."id" = 1 and octet_length("sandbox_keys"."webhook_secret") = 32)
);
--> statement-breakpoint
ALTER TABLE "bookings" ADD COLUMN "frozen_ms" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "sandbox_charges" ADD COLUMN "metadata" jsonb;--> statement-breakpoint
ALTER TABLE "sandbox_charges" ADD COLUMN "webhook_due_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "sandbox_charges" ADD COLUMN "webhook_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "operator_log" ADD CONSTRAINT "operator_log_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "operator_log_account_idx" ON "operator_log" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "outbox_dead_idx" ON "outbox" USING btree ("id") WHERE "outbox"."settled_at" is null and "outbox"."dead_at" is not null;--> statement-breakpoint
CREATE INDEX "sandbox_charges_webhook_idx" ON "sandbox_charges" USING btree ("webhook_due_at") WHERE "sandbox_charges"."webhook_due_at" is not null;