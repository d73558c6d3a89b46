"""The report: one page of HTML that shows what changed, what is cheapest and how healthy the warehouse is."""
