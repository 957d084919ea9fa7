"""What the judges remember of senders: who has written before, and who was asked to come again."""
