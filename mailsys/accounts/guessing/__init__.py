"""Who guesses passwords: counted, slowed down, and blocked for a while."""
