"""Who sees what, and what a stranger can do: in this process, and against a running Airflow."""
