"""Who is told of what: alerts and changes of prices, from an outbox to webhooks."""
