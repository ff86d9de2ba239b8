"""Accounts kept by Airflow."""
