"""What the use cases need from the outside: gateways and the ledger fulfil these protocols."""
