-- The account that reads a view on MariaDB or MySQL (sql/view/create_mariadb.sql), and nothing more: run as an
-- administrator. Replace change-me, ils by the database, and airflow.example.org by the machine of Airflow.
-- Without TLS on the server, leave REQUIRE SSL out. Koha and PMB have their own list of tables and columns:
-- sql/koha/grants.sql, sql/pmb/grants.sql.
CREATE USER 'reminders'@'airflow.example.org' IDENTIFIED BY 'change-me' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5;
GRANT SELECT ON ils.reminders_loans TO 'reminders'@'airflow.example.org';
