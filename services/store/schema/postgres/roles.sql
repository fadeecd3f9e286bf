-- SPDX-License-Identifier: Apache-2.0
-- The three roles and the schema, made once by the database's administrator in the gateway's own
-- database: psql -v ON_ERROR_STOP=1 -d comity -f roles.sql. May be run again. Passwords are set apart
-- (\password comity_gateway): none stands in a file that is read by all.
--
--   comity_migration  owns the schema; used while a gateway brings it up to date, not at work
--   comity_gateway    reads and writes rows; cannot change the schema, nor a log entry
--   comity_auditor    reads the log, checkpoints and what is known of records without their content
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['comity_migration', 'comity_gateway', 'comity_auditor'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION'
                     ' NOBYPASSRLS NOINHERIT', name);
    END IF;
  END LOOP;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO comity_migration, comity_gateway,'
                 ' comity_auditor', current_database());
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'comity') THEN
    CREATE SCHEMA comity AUTHORIZATION comity_migration;
  END IF;
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA comity FROM PUBLIC;
ALTER ROLE comity_auditor SET default_transaction_read_only = on;
