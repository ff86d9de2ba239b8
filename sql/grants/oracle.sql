-- The account that reads Aleph or a view on Oracle, and nothing more: run as a DBA, by hand, line by line.
-- Replace change-me. UNS50 and UNS01 stand for the site's ADM and BIB libraries; Z303 to Z308 may lie in a shared user
-- library. The statement names its tables bare, so the account has a synonym for each.
CREATE USER reminders IDENTIFIED BY "change-me";
GRANT CREATE SESSION TO reminders;
GRANT SELECT ON uns50.z36  TO reminders;
GRANT SELECT ON uns50.z30  TO reminders;
GRANT SELECT ON uns50.z303 TO reminders;
GRANT SELECT ON uns50.z304 TO reminders;
GRANT SELECT ON uns50.z305 TO reminders;
GRANT SELECT ON uns50.z308 TO reminders;
GRANT SELECT ON uns01.z13  TO reminders;
GRANT SELECT ON uns01.z103 TO reminders;
CREATE SYNONYM reminders.z36  FOR uns50.z36;
CREATE SYNONYM reminders.z30  FOR uns50.z30;
CREATE SYNONYM reminders.z303 FOR uns50.z303;
CREATE SYNONYM reminders.z304 FOR uns50.z304;
CREATE SYNONYM reminders.z305 FOR uns50.z305;
CREATE SYNONYM reminders.z308 FOR uns50.z308;
CREATE SYNONYM reminders.z13  FOR uns01.z13;
CREATE SYNONYM reminders.z103 FOR uns01.z103;
-- For the notice of sql/aleph/notices/, where it is used:
-- GRANT SELECT ON uns50.z37  TO reminders;
-- CREATE SYNONYM reminders.z37  FOR uns50.z37;
-- With a view (sql/view/create_oracle.sql) instead of all the tables:
-- GRANT SELECT ON ils.reminders_loans TO reminders;
-- CREATE SYNONYM reminders.reminders_loans FOR ils.reminders_loans;
