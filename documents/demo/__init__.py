"""Firms, people, matters and papers that do not exist, for trying LexiFlow out.

`vocabulary`, `phrases`, `names`, `prose`, `matters` and `papers` are pure: the same seed gives the
same people and words on every machine. `writer` and `accounts` put them into the database.
"""
