-- Who is told about outbound facts, and how far each has come. A subscriber's own position is the only truth
-- about what it was sent: there is no mark on the fact, which is delivered when every subscriber is past it.
DROP INDEX ledger.outbox_pending;
ALTER TABLE ledger.outbox DROP COLUMN delivered_at;

-- `kind` says what `sealed` holds, which is where and how to deliver, encrypted; `address` is as much of it as
-- may be shown. No types means all. `position` only ever grows: whatever stands at or before it was delivered,
-- is not of these types, or is a dead letter. `attempts` and what follows tell of the fact right behind it.
CREATE TABLE ledger.subscriber (
    subscriber_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('webhook')),
    address text NOT NULL,
    sealed bytea NOT NULL,
    types text[] NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    disabled_reason text,
    created_at timestamptz NOT NULL,
    position bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    failed_since timestamptz,
    next_attempt_at timestamptz,
    last_failure text
) WITH (fillfactor = 50);

-- Facts that a subscriber did not take in time, to be sent again when an operator asks for it.
CREATE TABLE ledger.dead_letter (
    dead_letter_id uuid PRIMARY KEY,
    subscriber_id uuid NOT NULL REFERENCES ledger.subscriber ON DELETE CASCADE,
    position bigint NOT NULL REFERENCES ledger.outbox,
    attempts integer NOT NULL,
    last_failure text NOT NULL,
    failed_since timestamptz NOT NULL,
    given_up_at timestamptz NOT NULL,
    retry_requested boolean NOT NULL DEFAULT false,
    CONSTRAINT dead_letter_once UNIQUE (subscriber_id, position)
);
CREATE INDEX dead_letter_to_retry ON ledger.dead_letter (subscriber_id, position) WHERE retry_requested;

REVOKE ALL ON ledger.subscriber, ledger.dead_letter FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.subscriber, ledger.dead_letter TO billing_service;
