-- The account that reads Koha, and nothing more: run as an administrator of MariaDB or MySQL.
-- Replace change-me, koha_library by the database, and airflow.example.org by the machine of Airflow. Of readers the
-- columns alone that loans_due.sql names: passwords, secrets and notes stay unreadable.
CREATE USER 'reminders'@'airflow.example.org' IDENTIFIED BY 'change-me' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5;
GRANT SELECT ON koha_library.issues            TO 'reminders'@'airflow.example.org';
GRANT SELECT ON koha_library.items             TO 'reminders'@'airflow.example.org';
GRANT SELECT ON koha_library.itemtypes         TO 'reminders'@'airflow.example.org';
GRANT SELECT ON koha_library.biblio            TO 'reminders'@'airflow.example.org';
GRANT SELECT ON koha_library.biblioitems       TO 'reminders'@'airflow.example.org';
GRANT SELECT ON koha_library.categories        TO 'reminders'@'airflow.example.org';
GRANT SELECT ON koha_library.authorised_values TO 'reminders'@'airflow.example.org';
GRANT SELECT ON koha_library.return_claims     TO 'reminders'@'airflow.example.org';
-- Where [sms.consent] of library.toml has a rule for minors, and only there:
-- GRANT SELECT (dateofbirth) ON koha_library.borrowers TO 'reminders'@'airflow.example.org';
-- For the notices of sql/koha/notices/, where they are used:
-- GRANT SELECT ON koha_library.reserves    TO 'reminders'@'airflow.example.org';
-- GRANT SELECT ON koha_library.suggestions TO 'reminders'@'airflow.example.org';
-- GRANT SELECT ON koha_library.aqorders    TO 'reminders'@'airflow.example.org';
GRANT SELECT (borrowernumber, cardnumber, categorycode, branchcode, sort1, sort2, surname, firstname, lang,
              email, emailpro, B_email, smsalertnumber, mobile, phone, phonepro, B_phone, gonenoaddress,
              streetnumber, streettype, address, address2, zipcode, city, country,
              B_streetnumber, B_streettype, B_address, B_address2, B_zipcode, B_city, B_country)
      ON koha_library.borrowers TO 'reminders'@'airflow.example.org';
