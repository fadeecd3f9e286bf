-- SPDX-License-Identifier: Apache-2.0
-- What the roles of roles.sql may do. Run by the owner of the schema at the end of each migration; a
-- database without those roles is left alone. A table that is named here for neither is closed.
DO $grants$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'comity_gateway') THEN
    REVOKE ALL ON ALL TABLES IN SCHEMA comity FROM PUBLIC, comity_gateway;
    GRANT USAGE ON SCHEMA comity TO comity_gateway;
    GRANT SELECT ON comity.schema_version TO comity_gateway;
    GRANT SELECT, UPDATE ON comity.writer_commit TO comity_gateway;
    -- Written once, for ever.
    GRANT SELECT, INSERT ON comity.audit_entry, comity.agreement_document,
      comity.agreement_statement, comity.erasure TO comity_gateway;
    -- Written and changed, not taken away.
    GRANT SELECT, INSERT, UPDATE ON comity.audit_payload, comity.agreement_mark,
      comity.agreement_peer_status, comity.watchlist, comity.alert, comity.person, comity.approval,
      comity.notice, comity.notice_audience, comity.setting, comity.peer, comity.peer_contact,
      comity.inbox, comity.inbox_use, comity.entry_change, comity.deletion, comity.stop,
      comity.erasure_head, comity.retention_hold, comity.restoration, comity.table_binding
      TO comity_gateway;
    GRANT SELECT, INSERT, UPDATE, DELETE ON comity.checkpoint, comity.watchlist_entry,
      comity.deployment, comity.deployment_holder, comity.capacity, comity.replay, comity.outbox,
      comity.holding, comity.holding_answer, comity.partner_withdrawal, comity.watched_hit,
      comity.watched_probes, comity.restoration_reached, comity.sealed_list, comity.sealed_block,
      comity.sealed_copy TO comity_gateway;
    -- Numbers that never come again: a backup names the largest, which may be of a row that is gone.
    GRANT SELECT ON SEQUENCE comity.notice_number_seq, comity.outbox_number_seq,
      comity.retention_hold_number_seq TO comity_gateway;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'comity_auditor') THEN
    REVOKE ALL ON ALL TABLES IN SCHEMA comity FROM comity_auditor;
    GRANT USAGE ON SCHEMA comity TO comity_auditor;
    GRANT SELECT ON comity.schema_version, comity.writer_commit, comity.audit_entry,
      comity.checkpoint, comity.agreement_document, comity.agreement_statement,
      comity.agreement_mark, comity.agreement_peer_status, comity.stop, comity.deletion,
      comity.erasure, comity.erasure_head, comity.restoration, comity.restoration_reached,
      comity.table_binding
      TO comity_auditor;
    -- Columns that hold neither a key, nor content, nor who a record is of.
    GRANT SELECT (leaf_index, erase_at) ON comity.audit_payload TO comity_auditor;
    GRANT SELECT (position, reference, state, content, drafters, drafted_at, approved_by,
      approved_at, validated_at, closed_at, delete_by, deleted_at, imports, importing)
      ON comity.watchlist TO comity_auditor;
    GRANT SELECT (position, list, batch, category, state, restriction, clearance, valid_from,
      expires_at, review_by, as_of, cleared_at, ended_at) ON comity.watchlist_entry
      TO comity_auditor;
    GRANT SELECT (position, id, state, created_at, starts_at, ends_at, created_by, approved_by,
      activated_at, ended_at, deletion_due_at, closed_at, faces, alerts, false_alerts)
      ON comity.deployment TO comity_auditor;
    GRANT SELECT ON comity.deployment_holder TO comity_auditor;
    GRANT SELECT (position, id, deployment, holder, state, first_seen, last_seen, expires_at,
      frames, agreement, version, change, changed_at) ON comity.alert TO comity_auditor;
    GRANT SELECT (agreement, clause, requester, day, reserved) ON comity.capacity
      TO comity_auditor;
    GRANT SELECT (id, post, roles, state, added_at, changed_at) ON comity.person
      TO comity_auditor;
    GRANT SELECT (position, id, act, sha256, state, proposed_by, proposed_at, expires_at,
      decided_by, decided_at, review_by, overdue_told, reviewed_by, reviewed_at)
      ON comity.approval TO comity_auditor;
    GRANT SELECT (number, kind, at) ON comity.notice TO comity_auditor;
    GRANT SELECT ON comity.notice_audience TO comity_auditor;
    GRANT SELECT (agency, state, changed_at) ON comity.peer TO comity_auditor;
    GRANT SELECT ON comity.peer_contact TO comity_auditor;
    GRANT SELECT (number, peer, id, kind, created_at, due_by, refused, told, acknowledged_at)
      ON comity.outbox TO comity_auditor;
    GRANT SELECT (sender, id, kind, content, received_at) ON comity.inbox TO comity_auditor;
    GRANT SELECT (list, partner, agreement, version, released, first_told_at, told_at, held_until,
      times, change) ON comity.holding TO comity_auditor;
    GRANT SELECT (number, record_class, held_by, approved_by, held_at, review_by, told,
      released_at) ON comity.retention_hold TO comity_auditor;
    GRANT SELECT (position, header, list, requester, agreement, agreement_version, purpose, epoch,
      state, sealed_at, valid_until, sequence, held_sequence, held_at, erased_at, ended_at,
      end_reason) ON comity.sealed_list TO comity_auditor;
    GRANT SELECT (header, number, count, released, resealed) ON comity.sealed_block
      TO comity_auditor;
  END IF;
END $grants$;
