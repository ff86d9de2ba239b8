"""Pure rules and values: no Airflow, no SQL, no HTTP, no clock."""
