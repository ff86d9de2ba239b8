"""What a database of the ILS is asked about itself by `make check-ils`: one module an engine."""
