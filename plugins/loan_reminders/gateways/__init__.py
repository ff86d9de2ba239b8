"""The outside world, one vendor a module; each turns its errors and answers into the domain's."""
