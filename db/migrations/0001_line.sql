CREATE TYPE "public"."room_challenge" AS ENUM('off', 'auto', 'always');--> statement-breakpoint
CREATE TABLE "room_draws" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"secret" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp (3) with time zone,
	"entrants" integer,
	"leaves" "bytea",
	"root" "bytea",
	"beacon" jsonb,
	"seed" "bytea",
	"drawn_at" timestamp (3) with time zone,
	CONSTRAINT "room_draws_secret" CHECK (octet_length("room_draws"."secret") = 32),
	CONSTRAINT "room_draws_closed" CHECK (("room_draws"."closed_at" is null) = ("room_draws"."entrants" is null) and ("room_draws"."closed_at" is not null or "room_draws"."root" is null)),
	CONSTRAINT "room_draws_drawn" CHECK (("room_draws"."drawn_at" is null) = ("room_draws"."seed" is null) and ("room_draws"."seed" is null or "room_draws"."root" is not null))
);
--> statement-breakpoint
CREATE TABLE "room_priority" (
	"event_id" uuid NOT NULL,
	"subject" text NOT NULL,
	"account_id" uuid,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "room_priority_event_id_subject_pk" PRIMARY KEY("event_id","subject")
);
--> statement-breakpoint
CREATE TABLE "room_steps" (
	"event_id" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"seq" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"kind" text NOT NULL,
	"serving" integer NOT NULL,
	"called" integer DEFAULT 0 NOT NULL,
	"claimed" integer DEFAULT 0 NOT NULL,
	"no_shows" integer DEFAULT 0 NOT NULL,
	"active" integer DEFAULT 0 NOT NULL,
	"detail" jsonb,
	CONSTRAINT "room_steps_event_id_epoch_seq_pk" PRIMARY KEY("event_id","epoch","seq")
);
--> statement-breakpoint
ALTER TABLE "rooms" ADD COLUMN "priority_share" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "rooms" ADD COLUMN "challenge" "room_challenge" DEFAULT 'off' NOT NULL;--> statement-breakpoint
ALTER TABLE "room_draws" ADD CONSTRAINT "room_draws_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "room_priority" ADD CONSTRAINT "room_priority_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "room_priority" ADD CONSTRAINT "room_priority_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "room_steps" ADD CONSTRAINT "room_steps_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "room_priority_account" ON "room_priority" USING btree ("event_id","account_id");--> statement-breakpoint
ALTER TABLE "rooms" ADD CONSTRAINT "rooms_priority_share" CHECK ("rooms"."priority_share" between 0 and 100);