ALTER TABLE "room_invitations" DROP CONSTRAINT "room_invitations_pkey";--> statement-breakpoint
ALTER TABLE "room_invitations" ADD CONSTRAINT "room_invitations_event_id_id_pk" PRIMARY KEY("event_id","id");
