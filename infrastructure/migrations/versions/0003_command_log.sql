-- Idempotency keys in partitions, so that expired ones go by dropping a table and leave no dead rows: one for
-- each week (from its Monday, UTC) in which keys expire, one for keys that never do, and one for whatever finds
-- no week, because nobody made it in time. A key is unique within a partition; across them the committer sees
-- to it, who looks keys up under the head lock and takes an expired one for free.
ALTER TABLE ledger.command RENAME TO command_unpartitioned;
CREATE TABLE ledger.command (
    key_hash bytea NOT NULL,
    request_hash bytea NOT NULL,
    answer bytea,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) PARTITION BY RANGE (expires_at);
CREATE TABLE ledger.command_never PARTITION OF ledger.command (CONSTRAINT command_never_key PRIMARY KEY (key_hash))
    FOR VALUES FROM ('9000-01-01T00:00:00Z') TO (MAXVALUE);
CREATE TABLE ledger.command_other PARTITION OF ledger.command (CONSTRAINT command_other_key PRIMARY KEY (key_hash))
    DEFAULT;
CREATE INDEX command_other_expires_at ON ledger.command_other (expires_at);

-- Makes the partitions of all weeks from `first` to `last` that are missing; returns how many it made. With the
-- head held no committer is under way, so that every other lock is there at once or not at all: whoever reads
-- keys at this very moment makes it fail (55P03), to be tried again, and no command ever waits behind it.
CREATE FUNCTION ledger.create_command_partitions(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s'
SET timezone = 'UTC' AS $$
DECLARE
    week timestamptz;
    partition text;
    made integer := 0;
BEGIN
    FOR week IN SELECT generate_series(date_trunc('week', first), last, interval '7 days') LOOP
        partition := 'command_' || to_char(week, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('ledger.' || partition) IS NOT NULL;
        IF made = 0 THEN
            PERFORM FROM ledger.event_head FOR UPDATE;
            LOCK TABLE ONLY ledger.command IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
            LOCK TABLE ledger.command_other IN ACCESS EXCLUSIVE MODE NOWAIT;
            -- Another process may have made it while this one waited.
            CONTINUE WHEN to_regclass('ledger.' || partition) IS NOT NULL;
        END IF;
        -- A week that came too late for its first keys stays without a partition: they expire where they are.
        CONTINUE WHEN EXISTS (
            SELECT FROM ledger.command_other WHERE expires_at >= week AND expires_at < week + interval '7 days'
        );
        EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.command, PRIMARY KEY (key_hash))', partition);
        EXECUTE format('ALTER TABLE ledger.command ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
            partition, week, week + interval '7 days');
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

-- Drops the oldest week whose keys have all expired at that time; returns its name, null where there is none.
-- Its locks are those of create_command_partitions: taken under the head, at once or not at all.
CREATE FUNCTION ledger.drop_expired_commands(at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s'
SET timezone = 'UTC' AS $$
DECLARE
    partition text;
BEGIN
    PERFORM FROM ledger.event_head FOR UPDATE;
    DELETE FROM ledger.command_other WHERE expires_at <= at;
    SELECT c.relname INTO partition
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'ledger.command'::regclass AND c.relname ~ '^command_[0-9]{8}$'
        AND to_date(right(c.relname, 8), 'YYYYMMDD') + interval '7 days' <= at
    ORDER BY c.relname LIMIT 1;
    IF partition IS NOT NULL THEN
        EXECUTE format('LOCK TABLE ONLY ledger.command, ONLY ledger.%I IN ACCESS EXCLUSIVE MODE NOWAIT', partition);
        EXECUTE format('DROP TABLE ledger.%I', partition);
    END IF;
    RETURN partition;
END $$;

SELECT ledger.create_command_partitions(now(), now() + interval '44 days');
INSERT INTO ledger.command (key_hash, request_hash, answer, position, recorded_at, expires_at)
    SELECT key_hash, request_hash, answer, position, recorded_at, expires_at FROM ledger.command_unpartitioned;
DROP TABLE ledger.command_unpartitioned;

REVOKE ALL ON ledger.command FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.create_command_partitions(timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.drop_expired_commands(timestamptz) FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.command TO billing_service;
GRANT EXECUTE ON FUNCTION ledger.create_command_partitions(timestamptz, timestamptz) TO billing_service;
GRANT EXECUTE ON FUNCTION ledger.drop_expired_commands(timestamptz) TO billing_service;
