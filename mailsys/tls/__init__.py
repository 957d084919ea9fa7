"""TLS without a network: our certificates with their keys, their names, and how we serve with them."""
