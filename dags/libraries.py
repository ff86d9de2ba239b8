"""What is wrong with the settings of an installation of several libraries, among Airflow's DAG import errors.

This file makes no DAG. A library whose settings are wrong has none, and the others go on: Airflow would stop every DAG
of a file that has an error, so the error has a file of its own.
"""

from loan_reminders.dag_arguments import check_libraries

check_libraries()
