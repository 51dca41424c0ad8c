-- Lets a process decide before it holds the head (ADR 0017): whatever its decisions rest on is as it was read if
-- and only if the head's revision is. Every transaction that changes such things moves the revision by one:
-- events, idempotency keys and new subject keys by append(), erasures of subject keys by lock_head_to_change().
ALTER TABLE ledger.event_head ADD COLUMN revision bigint NOT NULL DEFAULT 0;

DROP TRIGGER head_never_goes_back ON ledger.event_head;
CREATE TRIGGER head_never_goes_back BEFORE UPDATE ON ledger.event_head
    FOR EACH ROW WHEN (NEW.position < OLD.position OR NEW.recorded_at < OLD.recorded_at
        OR NEW.revision <> OLD.revision + 1)
    EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.event_head ENABLE ALWAYS TRIGGER head_never_goes_back;

DROP FUNCTION ledger.lock_head();
CREATE FUNCTION ledger.lock_head(
    OUT last_position bigint, OUT last_revision bigint, OUT last_recorded_at timestamptz
) LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT position, revision, recorded_at FROM ledger.event_head FOR UPDATE
$$;

-- For who is about to change, without an event, what commands are decided on.
CREATE FUNCTION ledger.lock_head_to_change() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE ledger.event_head SET revision = revision + 1
$$;

DROP FUNCTION ledger.append(bigint, timestamptz[], text[], text[], text[], integer[], text[], smallint[], uuid[],
    text[], text[], text[], text[], text[], text[], bytea[], bytea[], smallint[]);

-- Appends events right behind the head, which is where it was at that revision or nothing happens (40001). One
-- array a column, all of one length, which may be 0: then only the revision moves.
CREATE FUNCTION ledger.append(
    at_revision bigint, first_position bigint, recorded_at timestamptz[],
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
            revision = at_revision + 1,
            recorded_at = coalesce(append.recorded_at[cardinality(append.recorded_at)], h.recorded_at)
        WHERE h.revision = at_revision AND h.position = first_position - 1
            AND h.recorded_at <= coalesce(append.recorded_at[1], h.recorded_at);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head is not at revision % and position %, or is later than these events',
            at_revision, first_position - 1 USING ERRCODE = '40001';
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

REVOKE ALL ON FUNCTION ledger.lock_head() FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.lock_head_to_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.append(bigint, bigint, timestamptz[], text[], text[], text[], integer[], text[],
    smallint[], uuid[], text[], text[], text[], text[], text[], text[], bytea[], bytea[], smallint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.lock_head() TO billing_service;
GRANT EXECUTE ON FUNCTION ledger.lock_head_to_change() TO billing_service;
GRANT EXECUTE ON FUNCTION ledger.append(bigint, bigint, timestamptz[], text[], text[], text[], integer[], text[],
    smallint[], uuid[], text[], text[], text[], text[], text[], text[], bytea[], bytea[], smallint[])
    TO billing_service;
