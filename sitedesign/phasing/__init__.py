"""Which power when: stages over months, what is ordered, rented and connected, what dates are worth."""
