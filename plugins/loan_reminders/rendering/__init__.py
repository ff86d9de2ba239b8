"""From values to the words that readers get: e-mail, SMS, letters."""
