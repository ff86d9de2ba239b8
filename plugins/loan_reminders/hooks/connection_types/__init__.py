"""The types of connection that this package adds to Airflow: their forms, and what *Test* does.

provider_info    what Airflow's forms show: fields, labels, choices; read without importing anything else
tested           what a *Test* answers, whichever the type
allmysms         asks what is left on the account; nothing is sent
ils              the first steps of `check-ils`
mail_relay       connects, protects, logs in; no message is sent
bounce_mailbox   logs in and opens the folder; nothing is read or moved
"""
