"""Which model ids of different gateways name one and the same model: pure rules, and a reviewed file of exceptions."""
