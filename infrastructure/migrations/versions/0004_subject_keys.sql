-- Keys of the persons whose data events hold. A destroyed key stays as a tombstone: without its bytes, for good.
CREATE TABLE ledger.subject_key (
    key_id uuid PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    retention_class text COLLATE "C" NOT NULL,
    master_key_id text COLLATE "C" NOT NULL,
    wrapped_key bytea,
    created_at timestamptz NOT NULL,
    -- When the subject asked and the law said later: from then on new data is sealed under another key.
    erase_after timestamptz,
    erased_at timestamptz,
    requested_by text,
    reason text,
    -- When the last read model, cache and stream had been told that the key is gone.
    redacted_at timestamptz,
    CHECK ((wrapped_key IS NULL) = (erased_at IS NOT NULL))
);
CREATE UNIQUE INDEX subject_key_live ON ledger.subject_key (subject, retention_class)
    WHERE wrapped_key IS NOT NULL AND erase_after IS NULL;
CREATE INDEX subject_key_subject ON ledger.subject_key (subject);
CREATE INDEX subject_key_due ON ledger.subject_key (erase_after)
    WHERE wrapped_key IS NOT NULL AND erase_after IS NOT NULL;
CREATE INDEX subject_key_to_redact ON ledger.subject_key (erased_at)
    WHERE erased_at IS NOT NULL AND redacted_at IS NULL;
CREATE INDEX subject_key_master ON ledger.subject_key (master_key_id) WHERE wrapped_key IS NOT NULL;

CREATE TRIGGER tombstone_stays BEFORE UPDATE ON ledger.subject_key
    FOR EACH ROW WHEN (OLD.wrapped_key IS NULL AND NEW.wrapped_key IS NOT NULL
        OR OLD.key_id <> NEW.key_id OR OLD.subject <> NEW.subject OR OLD.retention_class <> NEW.retention_class)
    EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER key_is_never_removed BEFORE DELETE ON ledger.subject_key
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER keys_are_never_truncated BEFORE TRUNCATE ON ledger.subject_key
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.subject_key ENABLE ALWAYS TRIGGER tombstone_stays;
ALTER TABLE ledger.subject_key ENABLE ALWAYS TRIGGER key_is_never_removed;
ALTER TABLE ledger.subject_key ENABLE ALWAYS TRIGGER keys_are_never_truncated;

-- States of long streams, so that loading one does not take its whole history. Disposable: a state folded by
-- another version of the program (`tag`) is not used, and nothing is lost with the table.
CREATE TABLE ledger.snapshot (
    stream_type text COLLATE "C" NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    tag text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (stream_type, stream_id)
);
-- Tells the worker, at next to no cost, which streams have grown by another few hundred events.
CREATE INDEX event_snapshot_due ON ledger.event (position, stream_type, stream_id, version)
    WHERE version % 256 = 0;

GRANT SELECT, INSERT ON ledger.subject_key TO billing_service;
GRANT UPDATE (master_key_id, wrapped_key, erase_after, erased_at, requested_by, reason, redacted_at)
    ON ledger.subject_key TO billing_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.snapshot TO billing_service;
