"""Which power when: stages over months, what is ordered, rented and connected for each, what dates are worth."""
