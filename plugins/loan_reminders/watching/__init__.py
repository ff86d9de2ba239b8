"""What Airflow calls when something is red or late, and the figures that monitoring reads."""
