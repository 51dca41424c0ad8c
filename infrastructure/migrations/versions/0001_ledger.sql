-- The ledger's schema. `billing_owner` owns it; `billing_service`, which every process of the service is,
-- may read events and append them through lock_head() and append(), and nothing else.
CREATE TABLE ledger.event (
    position bigint PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL,
    stream_type text COLLATE "C" NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    name text COLLATE "C" NOT NULL,
    schema_version smallint NOT NULL,
    transaction_id uuid NOT NULL,
    actor text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    on_behalf_of text COLLATE "C",
    operation text COLLATE "C" NOT NULL,
    correlation_id text COLLATE "C" NOT NULL,
    causation_id text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    state bytea NOT NULL,
    leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32),
    hash_version smallint NOT NULL,
    CONSTRAINT event_stream_version UNIQUE (stream_type, stream_id, version)
);
CREATE INDEX event_recorded_at ON ledger.event USING brin (recorded_at);

-- One row: the last position and the last recorded time. Locking it is what puts commits in order.
CREATE TABLE ledger.event_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10);
INSERT INTO ledger.event_head (position, recorded_at) VALUES (0, '1970-01-01T00:00:00Z');

-- Idempotency keys with their stored answers (encrypted, compressed). An empty answer is one in flight.
CREATE TABLE ledger.command (
    key_hash bytea PRIMARY KEY,
    request_hash bytea NOT NULL,
    answer bytea,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX command_expires_at ON ledger.command (expires_at) WHERE expires_at < 'infinity';

-- Outbound facts, one for the event at that position; the relay delivers them in this order.
CREATE TABLE ledger.outbox (
    position bigint PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    type text NOT NULL,
    delivered_at timestamptz
);
CREATE INDEX outbox_pending ON ledger.outbox (position) WHERE delivered_at IS NULL;

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger.% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '42501';
END $$;
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON ledger.event
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER event_is_never_truncated BEFORE TRUNCATE ON ledger.event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER head_never_goes_back BEFORE UPDATE ON ledger.event_head
    FOR EACH ROW WHEN (NEW.position <= OLD.position OR NEW.recorded_at < OLD.recorded_at)
    EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER head_is_never_removed BEFORE DELETE ON ledger.event_head
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER head_is_never_truncated BEFORE TRUNCATE ON ledger.event_head
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
-- They fire for replication's and restore's sessions too.
ALTER TABLE ledger.event ENABLE ALWAYS TRIGGER event_is_append_only;
ALTER TABLE ledger.event ENABLE ALWAYS TRIGGER event_is_never_truncated;
ALTER TABLE ledger.event_head ENABLE ALWAYS TRIGGER head_never_goes_back;
ALTER TABLE ledger.event_head ENABLE ALWAYS TRIGGER head_is_never_removed;
ALTER TABLE ledger.event_head ENABLE ALWAYS TRIGGER head_is_never_truncated;

CREATE FUNCTION ledger.lock_head(OUT last_position bigint, OUT last_recorded_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT position, recorded_at FROM ledger.event_head FOR UPDATE
$$;

-- Appends events right behind the head, which the caller holds. One array a column, all of one length.
CREATE FUNCTION ledger.append(
    first_position bigint, recorded_at timestamptz[],
    tenant_id text[], stream_type text[], stream_id text[], version integer[], name text[],
    schema_version smallint[], transaction_id uuid[], actor text[], role text[], on_behalf_of text[],
    operation text[], correlation_id text[], causation_id text[], state bytea[], leaf_hash bytea[],
    hash_version smallint[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(ARRAY[
            cardinality(recorded_at), cardinality(tenant_id), cardinality(stream_type), cardinality(stream_id),
            cardinality(name), cardinality(schema_version), cardinality(transaction_id), cardinality(actor),
            cardinality(role), cardinality(on_behalf_of), cardinality(operation), cardinality(correlation_id),
            cardinality(causation_id), cardinality(state), cardinality(leaf_hash), cardinality(hash_version)
        ]) AS length WHERE length IS DISTINCT FROM cardinality(version)
    ) THEN
        RAISE EXCEPTION 'columns of different lengths' USING ERRCODE = '22023';
    END IF;
    IF EXISTS (
        SELECT FROM (
            SELECT r.moment < lag(r.moment) OVER (ORDER BY r.ordinality) AS is_earlier
            FROM unnest(append.recorded_at) WITH ORDINALITY AS r(moment, ordinality)
        ) AS moments WHERE is_earlier
    ) THEN
        RAISE EXCEPTION 'an event is recorded before its predecessor' USING ERRCODE = '22023';
    END IF;
    UPDATE ledger.event_head h
        SET position = first_position + cardinality(version) - 1,
            recorded_at = append.recorded_at[cardinality(append.recorded_at)]
        WHERE h.position = first_position - 1 AND h.recorded_at <= append.recorded_at[1];
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head is not at position % or is later than these events', first_position - 1
            USING ERRCODE = '40001';
    END IF;
    INSERT INTO ledger.event AS e (
        position, recorded_at, tenant_id, stream_type, stream_id, version, name, schema_version,
        transaction_id, actor, role, on_behalf_of, operation, correlation_id, causation_id, state, leaf_hash,
        hash_version)
    SELECT first_position + n.ordinality - 1, n.a, n.b, n.c, n.d, n.e, n.f, n.g, n.h, n.i, n.j, n.k, n.l,
        n.m, n.n, n.o, n.p, n.q
    FROM unnest(append.recorded_at, append.tenant_id, append.stream_type, append.stream_id, append.version,
        append.name, append.schema_version, append.transaction_id, append.actor, append.role,
        append.on_behalf_of, append.operation, append.correlation_id, append.causation_id, append.state,
        append.leaf_hash, append.hash_version)
        WITH ORDINALITY AS n(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, ordinality);
END $$;

-- What auditors read in SQL: the same rows, with the state as JSON.
CREATE VIEW ledger.event_readable AS
    SELECT position, tenant_id, stream_type, stream_id, version, name, schema_version, transaction_id, actor,
        role, on_behalf_of, operation, correlation_id, causation_id, recorded_at,
        convert_from(state, 'UTF8')::jsonb AS state, encode(leaf_hash, 'hex') AS leaf_hash, hash_version
    FROM ledger.event;

REVOKE ALL ON ALL TABLES IN SCHEMA ledger FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO billing_service;
GRANT SELECT ON ledger.event, ledger.event_head, ledger.event_readable TO billing_service;
GRANT EXECUTE ON FUNCTION ledger.lock_head() TO billing_service;
GRANT EXECUTE ON FUNCTION ledger.append(bigint, timestamptz[], text[], text[], text[], integer[], text[],
    smallint[], uuid[], text[], text[], text[], text[], text[], text[], bytea[], bytea[], smallint[])
    TO billing_service;
GRANT SELECT, INSERT, UPDATE ON ledger.command TO billing_service;
GRANT DELETE ON ledger.command TO billing_service;
GRANT SELECT, INSERT ON ledger.outbox TO billing_service;
GRANT UPDATE (delivered_at) ON ledger.outbox TO billing_service;
