-- The account that reads PMB, and nothing more: run as an administrator of MariaDB or MySQL.
-- Replace change-me, bibli by the database, and airflow.example.org by the machine of Airflow. Of readers the columns
-- alone that loans_due.sql names: passwords and messages stay unreadable.
CREATE USER 'reminders'@'airflow.example.org' IDENTIFIED BY 'change-me' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5;
GRANT SELECT ON bibli.pret           TO 'reminders'@'airflow.example.org';
GRANT SELECT ON bibli.exemplaires    TO 'reminders'@'airflow.example.org';
GRANT SELECT ON bibli.notices        TO 'reminders'@'airflow.example.org';
GRANT SELECT ON bibli.bulletins      TO 'reminders'@'airflow.example.org';
GRANT SELECT ON bibli.series         TO 'reminders'@'airflow.example.org';
GRANT SELECT ON bibli.authors        TO 'reminders'@'airflow.example.org';
GRANT SELECT ON bibli.responsability TO 'reminders'@'airflow.example.org';
-- Where [sms.consent] of library.toml has a rule for minors, and only there:
-- GRANT SELECT (empr_year) ON bibli.empr TO 'reminders'@'airflow.example.org';
-- For the notice of sql/pmb/notices/, where it is used:
-- GRANT SELECT ON bibli.resa        TO 'reminders'@'airflow.example.org';
GRANT SELECT (id_empr, empr_cb, empr_nom, empr_prenom, empr_categ, empr_codestat, empr_lang, empr_location,
              empr_mail, empr_sms, empr_tel1, empr_tel2, empr_adr1, empr_adr2, empr_cp, empr_ville, empr_pays)
      ON bibli.empr TO 'reminders'@'airflow.example.org';
