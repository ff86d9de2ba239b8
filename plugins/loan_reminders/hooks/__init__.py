"""An Airflow Connection becomes a gateway or the ledger, nothing else."""
