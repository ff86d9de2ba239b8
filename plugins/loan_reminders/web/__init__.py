"""The librarians' pages, inside Airflow's web UI."""
