-- The account that reads a view on PostgreSQL (sql/view/create_postgresql.sql), and nothing more: run as the owner of
-- the view. Replace change-me, and ils by the database. For tables instead of a view, one GRANT SELECT for each that the
-- statement names, of persons' tables the columns alone that it names: GRANT SELECT (id, …) ON ….
CREATE ROLE reminders LOGIN PASSWORD 'change-me' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 5;
ALTER ROLE reminders SET default_transaction_read_only = on;
ALTER ROLE reminders SET statement_timeout = '120s';
GRANT CONNECT ON DATABASE ils TO reminders;
GRANT USAGE ON SCHEMA public TO reminders;
GRANT SELECT ON public.reminders_loans TO reminders;
