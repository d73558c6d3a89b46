"""What history must be, computed with dicts and loops from recorded bodies alone.

Written from the contract and the facts about the catalogs, never from the code it judges: it imports none of it.
"""
