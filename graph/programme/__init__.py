"""What managers decide by: overview, nominations, training targets."""
